import { join } from 'node:path'
import {
  type DetectContext,
  type NodePackage,
  type NpmLock,
  Problem,
  readNodePackage,
  readNpmLock,
} from '#sdk'

/** A directory with a package.json. */
export interface Project {
  readonly directory: string
  readonly package: NodePackage
  readonly lock: NpmLock | undefined
  /** The scripts to run, in order. */
  readonly scripts: readonly string[]
}

/** Reads the project; `undefined` where there is no package.json. */
export async function readProject({
  application,
  configuration,
}: Pick<DetectContext, 'application' | 'configuration'>): Promise<Project | undefined> {
  const directory = join(application, configuration.text('BP_NODE_PROJECT_PATH'))
  const found = await readNodePackage(directory)
  if (!found) return undefined
  const given = configuration.given('BP_NODE_RUN_SCRIPTS')
  const scripts = (given ?? 'build')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && (given !== undefined || Object.hasOwn(found.scripts, name)))
  for (const name of scripts) if (!Object.hasOwn(found.scripts, name)) throw noScript(name, found)
  return { directory, package: found, lock: await readNpmLock(directory), scripts }
}

/** The version of npm that the project was made with, if it says so. */
export function npmVersion({ packageManager, engines }: NodePackage): string {
  const exact = /^npm@(\d+\.\d+\.\d+)/.exec(packageManager ?? '')?.[1]
  return exact ?? engines.npm?.trim() ?? ''
}

const noScript = (name: string, { scripts }: NodePackage) =>
  new Problem('NPM_NO_SCRIPT', {
    what: `Cannot run the script ${JSON.stringify(name.slice(0, 100))}`,
    why: `package.json has ${Object.keys(scripts).slice(0, 20).join(', ') || 'no scripts'}`,
    fix: 'Name scripts of package.json in BP_NODE_RUN_SCRIPTS, or leave it empty to run none.',
  })
