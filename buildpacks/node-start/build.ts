import { join } from 'node:path'
import { type Build, type BuildContext, Problem, readIfExists, readNodePackage } from '#sdk'
import { firstFile, MAINS, mainFile } from './main-file.ts'
import { type Start, startOf } from './start-script.ts'

/** Writes the process `web`. A Procfile, whose buildpack comes later, may replace it. */
export const build: Build = async context => {
  const { application, configuration, launch, log } = context
  const place = configuration.text('BP_NODE_PROJECT_PATH')
  const project = join(application, place)
  const start = await findStart(project, context)
  if (!start) {
    if ((await readIfExists(join(application, 'Procfile'))) !== undefined) return
    throw noStart()
  }
  const { command, variables } = start
  log.line('Process types:')
  log.detail(`web: ${command.join(' ')} (default)`)
  if (command[0] !== 'node') warnOfShell(command, context)
  if (Object.keys(variables).length > 0) await contributeVariables(variables, context)
  launch.process({ type: 'web', command, default: true, ...(place && { workingDirectory: project }) })
}

async function findStart(project: string, { configuration }: BuildContext): Promise<Start | undefined> {
  const node = (file: string | undefined) => file && { command: ['node', file], variables: {} }
  const launchpoint = configuration.text('BP_LAUNCHPOINT').trim()
  if (launchpoint) {
    const file = await firstFile(project, [launchpoint])
    if (file === undefined) throw noLaunchpoint(launchpoint)
    return node(file) || undefined
  }
  const found = await readNodePackage(project)
  const script = found && startOf(found.scripts)
  if (script) return script
  const main = found?.main ? await mainFile(project, found.main) : undefined
  return node(main ?? (await firstFile(project, MAINS))) || undefined
}

function warnOfShell([, , script = '']: readonly string[], { log }: BuildContext): void {
  log.detail(
    'It is started by a shell, so it wants a base that has one; `node FILE` as script start needs none',
  )
  if (/(?:^|[\s;&|(])(?:npm|npx|yarn|pnpm)\s/.test(script))
    log.warn(
      'The script start runs a package manager, and there is none in the image: name the program itself',
    )
}

async function contributeVariables(variables: Start['variables'], { layers }: BuildContext): Promise<void> {
  await layers.contribute('start', {
    title: 'Variables of the script start',
    types: { launch: true },
    metadata: { variables },
    async make({ environment }) {
      for (const [name, value] of Object.entries(variables)) environment.process('web').override(name, value)
    },
  })
}

const noLaunchpoint = (file: string) =>
  new Problem('NODE_NO_START', {
    what: 'Cannot start the app',
    why: `BP_LAUNCHPOINT names ${JSON.stringify(file.slice(0, 200))}, and there is no such file`,
    fix: 'Name a file relative to the directory of package.json, as it is after the build.',
  })

const noStart = () =>
  new Problem('NODE_NO_START', {
    what: 'Cannot find how the app is started',
    why: `package.json has neither a script start nor a main that is there, and there is none of ${MAINS.join(', ')}`,
    fix: 'Add "scripts": {"start": "node FILE"} to package.json, set BP_LAUNCHPOINT, or add a Procfile.',
  })
