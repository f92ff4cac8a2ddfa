import {
  type Build,
  type BuildContext,
  componentsOfNpmLock,
  type NpmLock,
  Problem,
  sourceDigest,
  wantsPackages,
} from '#sdk'
import { changedSince, markNow } from './changes.ts'
import { installFacts, runsOwnScripts } from './facts.ts'
import {
  anchorWorkspaces,
  copyModules,
  linkModules,
  moduleDirectories,
  removeLeftovers,
  removeModules,
} from './modules.ts'
import { type Npm, npmProgram } from './program.ts'
import { type Project, readProject } from './project.ts'
import { npmSettings, removeCredentials } from './settings.ts'

/** Installs what the lock names, runs the build scripts, and leaves in the image what the app runs with. */
export const build: Build = async context => {
  const { layers, log } = context
  const project = await readProject(context)
  if (!project) return
  // Kept also when npm does not run, so that the next change finds it.
  const cache = await layers.keep('cache')
  const settings = await npmSettings(context, project.directory, cache.directory)
  const npm = await npmProgram(context, project.directory, cache.directory, settings)
  const { lock } = project
  if (lock) await installAndBuild(context, project, lock, npm, settings)
  else if (wantsPackages(project.package)) throw noLock()
  else await runScripts(context, project, npm)
  if (await removeCredentials(project.directory))
    log.line('Removed .npmrc, which holds a credential, from the app: give it as a binding of type npmrc')
}

type Settings = Awaited<ReturnType<typeof npmSettings>>

async function installAndBuild(
  context: BuildContext,
  project: Project,
  lock: NpmLock,
  npm: Npm,
  settings: Settings,
): Promise<void> {
  const { layers, target } = context
  const { directory } = project
  const all = moduleDirectories(lock, { development: true })
  const kept = moduleDirectories(lock, { development: false })
  // Whatever was installed on another machine does not count; the lock does.
  await removeModules(directory, all)
  const ownScripts = await runsOwnScripts(project, lock)
  const facts = await installFacts(context, project, lock, npm, settings, ownScripts)
  const builds = project.scripts.length > 0
  const digest = builds ? await sourceDigest(directory) : ''
  let source: Record<string, string> = {}
  if (builds) {
    await installAll(context, directory, all, npm, facts)
    const before = await markNow(directory, all)
    await runScripts(context, project, npm)
    // What scripts write among the packages, such as a generated client, belongs to the app; then the packages follow from the source too.
    if (await changedSince(directory, before)) source = { 'source-sha256': digest }
  }
  await layers.contribute('modules', {
    title: 'Packages of the app',
    types: { launch: true },
    metadata: { ...facts, ...source, builds },
    components: componentsOfNpmLock(lock, target),
    async make(layer) {
      if (builds || ownScripts) {
        if (!builds) await npm.run(['ci', '--include=dev'])
        await prune(lock, npm)
      } else await npm.run(['ci', '--omit=dev'])
      await removeLeftovers(directory, kept)
      await copyModules(directory, kept, layer.directory)
      await anchorWorkspaces(lock, directory, layer.directory)
      layer.environment.launch.prepend('PATH', `${directory}/node_modules/.bin`, ':')
    },
  })
  await removeModules(directory, all)
  await linkModules(directory, kept, `${layers.directory}/modules`)
}

/** Installs everything, those for development too, or brings it back as the last build had it: as real directories, for tools that follow no links. */
async function installAll(
  { layers }: BuildContext,
  directory: string,
  all: readonly string[],
  npm: Npm,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const place = await layers.contribute('all-modules', {
    title: 'Packages of the build',
    types: { cache: true },
    metadata: facts,
    async make(layer) {
      await npm.run(['ci', '--include=dev'])
      await copyModules(directory, all, layer.directory)
    },
  })
  if (place.reused) await copyModules(place.directory, all, directory)
}

async function prune({ packages }: NpmLock, npm: Npm): Promise<void> {
  if ([...packages.values()].some(({ dev }) => dev))
    await npm.run(['prune', '--omit=dev', '--ignore-scripts', '--offline'])
}

/** Scripts are told that they make what runs in production, as hosts of Node.js apps do it; a variable of the user says otherwise. */
async function runScripts({ environment }: BuildContext, { scripts }: Project, npm: Npm): Promise<void> {
  const variables = { NODE_ENV: environment.NODE_ENV ?? 'production' }
  for (const name of scripts) await npm.run(['run', name], variables)
}

const noLock = () =>
  new Problem('NPM_NO_LOCK', {
    what: 'Cannot install the packages that package.json asks for',
    why: 'there is no package-lock.json, so nothing says which versions the app was tested with',
    fix: 'Run `npm install --package-lock-only` and commit package-lock.json.',
  })
