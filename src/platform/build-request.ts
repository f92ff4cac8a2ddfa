import type { LauncherChoice } from '#lifecycle'
import type { Report } from '#std'
import type { SandboxDriver } from './machine-sandbox.ts'
import type { BindingSource } from './platform-directory.ts'

/** What a build is asked for. Paths are absolute. */
export interface BuildRequest {
  /** Name of the image, and further names. */
  readonly name: string
  readonly tags: readonly string[]
  /** The app's directory. */
  readonly path: string
  /** The project descriptor; by default `project.toml` in the app's directory, if there is one. */
  readonly descriptor: string | undefined
  /** Variables of the user; they win over those of the project. */
  readonly variables: ReadonlyMap<string, string>
  readonly bindings: readonly BindingSource[]
  /** Places or ids of buildpacks, paths relative to `workingDirectory`; none for the order of the builder. */
  readonly buildpacks: readonly string[]
  /** The same, around each group of the builder's order. */
  readonly preBuildpacks: readonly string[]
  readonly postBuildpacks: readonly string[]
  /** The image of a builder of others; `slipway` for none whatever the project says. */
  readonly builder: string | undefined
  /** Leave image extensions of the builder out. */
  readonly skipExtensions: boolean
  readonly workingDirectory: string
  /** Default `slipway/run:base`. */
  readonly runImage: string | undefined
  readonly defaultProcess: string | undefined
  readonly network: 'host' | 'none'
  readonly launcher: LauncherChoice
  readonly driver: SandboxDriver
  readonly execEnv: string
  /** Refuse whatever `slipway.lock` does not pin. */
  readonly locked: boolean
  readonly clearCache: boolean
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly report: Report
  readonly signal: AbortSignal
}
