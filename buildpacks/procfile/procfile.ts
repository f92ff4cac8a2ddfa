import { join } from 'node:path'
import { type DetectContext, readIfExists } from '#sdk'

/** Commands by process type. */
export type Procfile = Readonly<Record<string, string>>

/** Reads `type: command` lines; all other lines do not count (Heroku's format, as Paketo reads it). */
export function parseProcfile(text: string): Procfile {
  const lines = [...text.matchAll(/^([A-Za-z0-9_-]+):[^\S\n]*(\S[^\r\n]*?)[^\S\n]*\r?$/gm)]
  return Object.fromEntries(lines.map(([, type, command]) => [type, command]))
}

/** Everything that names processes, the later winning: the variable, the app's Procfile, a binding of type `Procfile`. */
export async function readProcfile({
  application,
  bindings,
  configuration,
}: DetectContext): Promise<Procfile> {
  const web = configuration.text('BP_PROCFILE_DEFAULT_PROCESS').trim()
  const own = await readIfExists(join(application, 'Procfile'))
  const bound = await bindings.only('Procfile')?.read('Procfile')
  return { ...(web && { web }), ...parseProcfile(own ?? ''), ...parseProcfile(bound ?? '') }
}
