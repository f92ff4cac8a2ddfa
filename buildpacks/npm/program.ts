import { join } from 'node:path'
import { type BuildContext, isDirectory } from '#sdk'
import type { Settings } from './settings.ts'

/** npm, ready to be run in one project. */
export interface Npm {
  /** Versions of Node.js and npm. */
  readonly versions: Readonly<Record<'node' | 'npm', string>>
  run(words: readonly string[], variables?: Readonly<Record<string, string>>): Promise<void>
}

/** Prepares npm; it keeps what it fetches in `cache`, looks for no newer self, and writes nothing down that differs from run to run. */
export async function npmProgram(
  context: BuildContext,
  directory: string,
  cache: string,
  settings: Settings,
): Promise<Npm> {
  const home = context.environment.NODE_HOME
  const headers = home !== undefined && (await isDirectory(join(home, 'include', 'node')))
  const common = {
    npm_config_cache: cache,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_logs_max: '0',
    npm_config_progress: 'false',
    npm_config_prefer_offline: 'true',
    ...settings.variables,
  }
  const versions = {
    node: await context.output('node', ['--version']),
    npm: await context.output('npm', ['--version'], { variables: common }),
  }
  // Add-ons compile with the headers that came with Node.js, instead of fetching them from elsewhere. npm 11 has another name for it (node-gyp, README).
  const nodedir =
    Number.parseInt(versions.npm, 10) < 11 ? 'npm_config_nodedir' : 'npm_package_config_node_gyp_nodedir'
  const compiling = headers ? { [nodedir]: home } : {}
  return {
    versions,
    async run(words, variables = {}) {
      context.log.line(`Executing npm ${words.join(' ')}`)
      await context.run('npm', words, { directory, variables: { ...common, ...compiling, ...variables } })
    },
  }
}
