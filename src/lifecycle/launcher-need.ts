import { posix } from 'node:path'
import {
  applyEnvironmentFiles,
  atLeast,
  type BuildMetadata,
  type Environment,
  type LaunchProcess,
  prependRootDirectories,
  takesPart,
} from '#cnb'
import { launcherNeeded } from './export-problems.ts'
import type { LaunchFacts } from './launch-facts.ts'

/** Whether an image gets a launcher: where it needs one, in any case, or under no circumstances. */
export type LauncherChoice = 'auto' | 'always' | 'never'

/** A launch layer of the image: its directory there, and what it says about launching. */
export interface LaunchLayer {
  readonly inside: string
  readonly facts: LaunchFacts
}

/** What decides whether a process can do without a launcher. */
export interface LaunchSituation {
  readonly metadata: BuildMetadata
  /** The type of the process that starts by default. */
  readonly defaultType?: string
  /** In the order in which the launcher would go through them: buildpacks as in the metadata, layers by name. */
  readonly layers: readonly LaunchLayer[]
  /** True if the app has a `.profile`. */
  readonly hasProfile: boolean
}

/** A process in the words of an image configuration. */
export interface PlainStart {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly workingDirectory: string
  readonly environment: Environment
}

/** Why the processes of an image need a launcher; empty if they need none. */
export function launcherReasons({ metadata, defaultType, layers, hasProfile }: LaunchSituation): string[] {
  const { processes } = metadata
  const reasons = layers.flatMap(({ inside, facts }) => facts.launcherFor.map(why => `in ${inside}: ${why}`))
  if (hasProfile) reasons.push('the app has a .profile, which a shell reads before the process starts')
  if (!processes.some(({ type }) => type === defaultType))
    reasons.push('no process is the default, so one is chosen when the container starts')
  for (const process of processes) {
    const { type, direct, args, command } = process
    if (!direct) reasons.push(`the process ${type} is started through a shell`)
    else if (appendsArguments(metadata, process))
      reasons.push(
        `the process ${type} (${command[0]}) keeps its arguments ${args.join(' ')} before those of the user`,
      )
    if (!takesPart(process.execEnv, ''))
      reasons.push(
        `the process ${type} is for ${process.execEnv.join(', ')} only, which is decided when it starts`,
      )
  }
  const types = new Set(
    layers
      .flatMap(({ facts }) => Object.keys(facts.typeEnv))
      .filter(type => processes.some(each => each.type === type)),
  )
  if (processes.length > 1)
    for (const type of [...types].sort())
      reasons.push(`the process ${type} has variables that others must not have`)
  return reasons
}

/** Decides about the launcher. Throws a `Problem` (`LAUNCHER_NEEDED`, exit code 62) where it is forbidden and needed. */
export function needsLauncher(choice: LauncherChoice, situation: LaunchSituation): boolean {
  if (choice === 'always') return true
  const reasons = launcherReasons(situation)
  if (choice === 'never' && reasons.length > 0) throw launcherNeeded(reasons)
  return reasons.length > 0
}

/**
 * What the launcher would do before it starts the default process, done now (CNB platform specification, "Launcher"): the environment of all
 * layers, the command looked up in it where that can be known, the arguments that a user may replace.
 */
export function plainStart(situation: LaunchSituation, base: Environment, appDirectory: string): PlainStart {
  const { metadata, defaultType, layers } = situation
  const process = metadata.processes.find(({ type }) => type === defaultType) as LaunchProcess
  const environment = launchEnvironment(layers, base, process.type)
  const [command = '', ...fixed] = process.command
  return {
    entrypoint: [resolveCommand(command, environment, layers, appDirectory), ...fixed],
    cmd: process.args,
    workingDirectory: process.workingDirectory
      ? posix.resolve(appDirectory, process.workingDirectory)
      : appDirectory,
    environment,
  }
}

/** Directories of layers first, then `env/`, `env.launch/` and `env.launch/<type>/` of each layer, buildpack by buildpack. */
function launchEnvironment(layers: readonly LaunchLayer[], base: Environment, type: string): Environment {
  let environment = base
  for (const ofBuildpack of byBuildpack(layers)) {
    for (const { inside, facts } of ofBuildpack)
      environment = prependRootDirectories(environment, inside, facts.directories, 'launch')
    for (const { facts } of ofBuildpack) {
      for (const files of [facts.env, facts.launchEnv, facts.typeEnv[type] ?? []])
        environment = applyEnvironmentFiles(environment, files)
    }
  }
  return environment
}

function byBuildpack(layers: readonly LaunchLayer[]): LaunchLayer[][] {
  const groups = new Map<string, LaunchLayer[]>()
  for (const layer of layers) {
    const buildpack = posix.dirname(layer.inside)
    groups.set(buildpack, [...(groups.get(buildpack) ?? []), layer])
  }
  return [...groups.values()]
}

/**
 * The path of a command: relative to the app, or the first directory of PATH that has it, as long as only layers come before it, whose contents
 * are known. Else the name as it is, which the container's runtime looks up in the same PATH.
 */
function resolveCommand(
  command: string,
  environment: Environment,
  layers: readonly LaunchLayer[],
  appDirectory: string,
): string {
  if (command.includes('/')) return posix.resolve(appDirectory, command)
  const byDirectory = new Map(layers.map(({ inside, facts }) => [`${inside}/bin`, facts.executables]))
  for (const directory of (environment.get('PATH') ?? '').split(':')) {
    const executables = byDirectory.get(directory)
    if (executables === undefined) return command
    if (executables.includes(command)) return `${directory}/${command}`
  }
  return command
}

/** Before Buildpack API 0.9 the arguments of a user were put after those of the process instead of replacing them. */
function appendsArguments(
  { buildpacks }: BuildMetadata,
  { buildpackId, command, args }: LaunchProcess,
): boolean {
  const buildpack = buildpacks.find(({ id }) => id === buildpackId)
  return args.length > 0 && command.length === 1 && buildpack !== undefined && !atLeast(buildpack.api, '0.9')
}
