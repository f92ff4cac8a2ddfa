import type { BuildpackDescriptor } from '#cnb'

/** A directory as this process reaches it (`host`), and as buildpacks and images name it (`inside`). Both absolute. */
export interface Place {
  readonly host: string
  readonly inside: string
}

/** The directories of one build (CNB platform specification, "Buildpack lifecycle"). */
export interface Places {
  /** The app's source; `/workspace` unless told otherwise. */
  readonly app: Place
  /** Where buildpacks make layers; `/layers` unless told otherwise. */
  readonly layers: Place
  /** `env/` and `bindings/`, as the user gave them. */
  readonly platform: Place
  /** The operator's `env/`; absent where there is none. */
  readonly buildConfig?: Place
  /**
   * An empty directory for plans, which phases use up. Left out, it is `<layers>-scratch` on this machine, and inside the same, or
   * `/tmp/lifecycle` where the layers have another path inside.
   */
  readonly scratch?: Place
}

/** A buildpack that can be run: what its buildpack.toml says, and where it lies. */
export interface FoundBuildpack {
  readonly descriptor: BuildpackDescriptor
  readonly root: Place
}

/** Every buildpack of a builder, by id and version. */
export interface BuildpackSource {
  find(id: string, version: string): Promise<FoundBuildpack | undefined>
  /** The same for image extensions. */
  findExtension?(id: string, version: string): Promise<FoundBuildpack | undefined>
}

/** One run of a buildpack's `bin/detect` or `bin/build`, or of an image extension's `bin/generate`. */
export interface Execution {
  readonly phase: 'detect' | 'generate' | 'build'
  readonly buildpack: FoundBuildpack
  /** Program and arguments, paths as they are inside. */
  readonly command: readonly string[]
  /** Working directory inside. */
  readonly cwd: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** What it may write: the app and its own layers directory when building, its plan when detecting, its output when generating. */
  readonly writable: readonly Place[]
  /** What it may read besides. A writable place may lie below a readable one, and counts more. */
  readonly readable: readonly Place[]
  /** stdout and stderr, as they come. */
  readonly output: (bytes: Uint8Array) => void
  readonly signal?: AbortSignal
}

/** How an execution ended. `exitCode` is absent where something else ended it; `why` says what, in words. */
export interface ExecutionOutcome {
  readonly exitCode?: number
  readonly why?: string
}

/** Runs buildpack executables. Every process that one started is dead when its run resolves. */
export interface Executor {
  run(execution: Execution): Promise<ExecutionOutcome>
  /**
   * Says that this is likely to run soon, with an environment and a plan that may still change, so that it can be got ready. The directories are there already. False if its run
   * will start nothing, so that the one after it can be got ready too.
   */
  prepare?(execution: Execution): Promise<boolean>
}
