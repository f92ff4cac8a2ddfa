import { join } from 'node:path'
import { type BuildContext, Problem, readIfExists, readNodePackage } from '#sdk'

/** A version to ask for, and who wants it. An empty one leaves the choice to the platform. */
export interface WantedVersion {
  readonly version: string
  readonly from: string
}

/** Which Node.js the app wants: `BP_NODE_VERSION`, else `engines` of package.json, else `.nvmrc`, else `.node-version`, else the default. */
export async function wantedNode({
  application,
  configuration,
}: Pick<BuildContext, 'application' | 'configuration'>): Promise<WantedVersion> {
  const given = configuration.given('BP_NODE_VERSION')?.trim()
  if (given) return { version: lineOf(given, 'BP_NODE_VERSION'), from: 'BP_NODE_VERSION' }
  const project = join(application, configuration.text('BP_NODE_PROJECT_PATH'))
  const engine = (await readNodePackage(project))?.engines.node?.trim()
  if (engine) return { version: engine, from: 'engines of package.json' }
  for (const file of ['.nvmrc', '.node-version']) {
    const text = await readIfExists(join(project, file))
    const wanted = text?.replace(/#.*$/gm, '').trim()
    if (wanted) return { version: lineOf(wanted, file), from: file }
  }
  return { version: '', from: 'the default' }
}

/** The lines with long-term support, by the names that nvm knows them by (the release plan of Node.js). */
const LONG_TERM: Readonly<Record<string, string>> = {
  carbon: '8',
  dubnium: '10',
  erbium: '12',
  fermium: '14',
  gallium: '16',
  hydrogen: '18',
  iron: '20',
  jod: '22',
  krypton: '24',
}

/** nvm's words as versions, where those that only mean something new mean the default; all others are left to the platform, which knows what there is. */
function lineOf(wanted: string, from: string): string {
  const name = wanted.toLowerCase()
  if (['lts/*', 'lts', 'stable', 'default', 'node', 'latest', 'current'].includes(name)) return ''
  const named = /^lts\/(.+)$/.exec(name)?.[1]
  if (named === undefined) return wanted
  const line = Object.hasOwn(LONG_TERM, named) ? LONG_TERM[named] : undefined
  if (line === undefined) throw unknownName(wanted, from)
  return line
}

const unknownName = (wanted: string, from: string) =>
  new Problem('NODE_VERSION_UNKNOWN', {
    what: `Cannot use ${from}`,
    why: `${JSON.stringify(wanted.slice(0, 100))} is not the name of a line of Node.js that is known here`,
    fix: 'Write the number of the line, such as 24.',
  })
