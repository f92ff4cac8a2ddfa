import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { PlatformApi } from '#cnb'
import { flagsOf, type Phase } from './flags.ts'
import { type FlagValue, goUsage, parseGoBoolean, parseGoFlags, parseGoInteger } from './go-flags.ts'

/** All that a platform may tell a phase (CNB platform specification, tables of inputs). Absent is what was not given and has no default. */
export interface PhaseInputs {
  readonly phase: Phase
  readonly api: PlatformApi
  readonly positionals: readonly string[]
  readonly analyzed: string
  readonly app: string
  readonly buildConfig: string
  readonly buildpacks: string
  readonly extensions: string
  readonly generated: string
  readonly cacheDirectory?: string
  readonly cacheImage?: string
  readonly daemon: boolean
  readonly execEnv: string
  readonly force: boolean
  readonly uid: number
  readonly gid: number
  readonly group: string
  readonly plan: string
  readonly report: string
  readonly insecureRegistries: readonly string[]
  readonly launchCache?: string
  readonly launcher: string
  readonly launcherSbom: string
  readonly layers: string
  readonly layout: boolean
  readonly layoutDirectory?: string
  readonly logLevel: string
  readonly order: string
  readonly platform: string
  readonly previousImage?: string
  readonly processType?: string
  readonly projectMetadata: string
  readonly run: string
  readonly runImage?: string
  /** True if the run image was named on the command line and not by the environment. */
  readonly runImageByFlag: boolean
  readonly skipLayers: boolean
  readonly system: string
  readonly tags: readonly string[]
  /** What SOURCE_DATE_EPOCH says, unread. */
  readonly sourceDateEpoch?: string
}

/** What the command line asks for: work, or words. */
export type Asked =
  | { readonly kind: 'work'; readonly inputs: PhaseInputs }
  | { readonly kind: 'usage'; readonly text: string }
  | { readonly kind: 'version' }

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Reads the inputs of a phase: a flag beats the environment, which beats the default; directories become absolute; an empty variable counts as none.
 * Throws a `Problem` (`FLAG_INVALID`, exit code 2).
 */
export function readInputs(
  phase: Phase,
  api: PlatformApi,
  words: readonly string[],
  environment: Variables,
  workingDirectory: string,
): Asked {
  const definitions = flagsOf(phase, api)
  const { values, positionals, help } = parseGoFlags(phase, definitions, words)
  if (help) return { kind: 'usage', text: goUsage(phase, definitions) }
  if (values.get('version') === true) return { kind: 'version' }
  const given = new Given(values, environment, workingDirectory)
  const layers = given.directory('layers', 'CNB_LAYERS_DIR', '/layers')
  const inLayers = (flag: string, variable: string, name: string) =>
    given.text(flag, variable) ?? join(layers, name)
  const ownOrder = join(layers, 'order.toml')
  return {
    kind: 'work',
    inputs: {
      ...{ phase, api, positionals, layers },
      analyzed: inLayers('analyzed', 'CNB_ANALYZED_PATH', 'analyzed.toml'),
      app: given.directory('app', 'CNB_APP_DIR', '/workspace'),
      buildConfig: given.directory('build-config', 'CNB_BUILD_CONFIG_DIR', '/cnb/build-config'),
      buildpacks: given.directory('buildpacks', 'CNB_BUILDPACKS_DIR', '/cnb/buildpacks'),
      extensions: given.directory('extensions', 'CNB_EXTENSIONS_DIR', '/cnb/extensions'),
      generated: given.absolute(inLayers('generated', 'CNB_GENERATED_DIR', 'generated')),
      ...defined({
        cacheDirectory: given.optionalDirectory('cache-dir', 'CNB_CACHE_DIR'),
        cacheImage: given.text('cache-image', 'CNB_CACHE_IMAGE'),
        launchCache: given.optionalDirectory('launch-cache', 'CNB_LAUNCH_CACHE_DIR'),
        layoutDirectory: given.optionalDirectory('layout-dir', 'CNB_LAYOUT_DIR'),
        previousImage: given.text('previous-image', 'CNB_PREVIOUS_IMAGE'),
        processType: given.text('process-type', 'CNB_PROCESS_TYPE'),
        runImage: given.text('run-image', 'CNB_RUN_IMAGE') ?? given.text('image'),
        sourceDateEpoch: environment.SOURCE_DATE_EPOCH || undefined,
      }),
      daemon: given.truth('daemon', 'CNB_USE_DAEMON'),
      execEnv: environment.CNB_EXEC_ENV || 'production',
      force: given.truth('force', 'CNB_FORCE_REBASE'),
      uid: given.number('uid', 'CNB_USER_ID'),
      gid: given.number('gid', 'CNB_GROUP_ID'),
      group: inLayers('group', 'CNB_GROUP_PATH', 'group.toml'),
      plan: inLayers('plan', 'CNB_PLAN_PATH', 'plan.toml'),
      report: inLayers('report', 'CNB_REPORT_PATH', 'report.toml'),
      insecureRegistries: given.list('insecure-registry', environment.CNB_INSECURE_REGISTRIES),
      launcher: given.text('launcher') ?? '/cnb/lifecycle/launcher',
      launcherSbom: given.text('launcher-sbom') ?? '/cnb/lifecycle',
      layout: given.truth('layout', 'CNB_USE_LAYOUT'),
      logLevel: given.text('log-level', 'CNB_LOG_LEVEL') ?? 'info',
      order: given.text('order', 'CNB_ORDER_PATH') ?? (existsSync(ownOrder) ? ownOrder : '/cnb/order.toml'),
      platform: given.directory('platform', 'CNB_PLATFORM_DIR', '/platform'),
      projectMetadata: inLayers('project-metadata', 'CNB_PROJECT_METADATA_PATH', 'project-metadata.toml'),
      run: given.text('run', 'CNB_RUN_PATH') ?? '/cnb/run.toml',
      runImageByFlag: [values.get('run-image'), values.get('image')].some(
        each => each && each !== environment.CNB_RUN_IMAGE,
      ),
      skipLayers: ['skip-layers', 'skip-restore'].some(flag =>
        given.truth(flag, 'CNB_SKIP_LAYERS', 'CNB_SKIP_RESTORE'),
      ),
      system: given.text('system', 'CNB_SYSTEM_PATH') ?? '/cnb/system.toml',
      tags: given.list('tag', undefined),
    },
  }
}

/** Flags and variables together. */
class Given {
  readonly #values: ReadonlyMap<string, FlagValue>
  readonly #environment: Variables
  readonly #from: string

  constructor(values: ReadonlyMap<string, FlagValue>, environment: Variables, from: string) {
    this.#values = values
    this.#environment = environment
    this.#from = from
  }

  /** An empty flag counts as not given, as in the reference: its default is empty or cannot be. */
  text(flag: string, variable?: string): string | undefined {
    const value = this.#values.get(flag)
    if (typeof value === 'string' && value !== '') return value
    return (variable && this.#environment[variable]) || undefined
  }

  absolute(path: string): string {
    return resolve(this.#from, path)
  }

  directory(flag: string, variable: string, otherwise: string): string {
    return this.absolute(this.text(flag, variable) ?? otherwise)
  }

  optionalDirectory(flag: string, variable: string): string | undefined {
    const path = this.text(flag, variable)
    return path && this.absolute(path)
  }

  truth(flag: string, ...variables: string[]): boolean {
    const value = this.#values.get(flag)
    if (typeof value === 'boolean') return value
    return variables.some(variable => parseGoBoolean(this.#environment[variable] ?? '') === true)
  }

  number(flag: string, variable: string): number {
    const value = this.#values.get(flag)
    if (typeof value === 'number') return value
    const text = this.#environment[variable] ?? ''
    return /^[+-]?\d+$/.test(text) ? (parseGoInteger(String(Number(text))) ?? 0) : 0
  }

  list(flag: string, variable: string | undefined): readonly string[] {
    const value = this.#values.get(flag)
    const fromVariable = variable ? variable.split(',') : []
    return [...fromVariable, ...(Array.isArray(value) ? value : [])].map(each => each.trim()).filter(Boolean)
  }
}

/** Keys that have a value. */
function defined<Table extends Record<string, string | undefined>>(
  table: Table,
): { [Key in keyof Table]?: string } {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Table]?: string
  }
}
