import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { type Build, type BuildContext, javaComponents, Problem } from '#sdk'
import { findArchive, unpackArchive } from './archive.ts'
import { findScripts } from './start-script.ts'

/** Starts the distribution's script, in the processes `web` (default), `task` and `dist-zip`. */
export const build: Build = async context => {
  const { application, plan, launch, log } = context
  // Somebody before this buildpack has taken care of the application.
  if (!context.required('jvm-application')) return
  const script = await startScript(context)
  if (script === undefined) {
    for (const { name } of plan) context.unmet(name)
    return log.warn(
      'nothing says how the application starts: there is no jar with a Main-Class, no WEB-INF, no start script',
    )
  }
  const command = [join(application, script)]
  await chmod(join(application, script), 0o755)
  log.line(`Start script ${script}`)
  for (const type of ['dist-zip', 'task', 'web']) launch.process({ type, command, default: type === 'web' })
  context.components(await javaComponents(application))
}

async function startScript(context: BuildContext): Promise<string | undefined> {
  const { application, configuration, log } = context
  const pattern = configuration.text('BP_APPLICATION_SCRIPT')
  let scripts = await findScripts(application, pattern)
  const archive = scripts.length === 0 ? await findArchive(application) : undefined
  if (archive) {
    await unpackArchive(archive, context)
    log.line(`Unpacked ${archive}`)
    scripts = await findScripts(application, pattern)
  }
  if (scripts.length > 1) throw severalScripts(scripts)
  return scripts[0]
}

function severalScripts(scripts: readonly string[]): Problem {
  return new Problem('SCRIPTS_AMBIGUOUS', {
    what: 'Cannot choose the start script',
    why: `there are ${scripts.length}: ${scripts.slice(0, 10).join(', ')}`,
    fix: 'Set BP_APPLICATION_SCRIPT to the path of one, relative to the app.',
  })
}
