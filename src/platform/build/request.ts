import type { LauncherChoice } from '#lifecycle'
import type { Platform } from '#oci'
import type { Mount } from '#sandbox'
import type { Report } from '#std'
import type { SandboxDriver } from '../machine/machine-sandbox.ts'
import type { BuildOutput } from './output.ts'
import type { BindingSource } from './platform-directory.ts'

/** What a build is asked for. Paths are absolute. */
export interface BuildRequest {
  /** Name of the image, and further names. */
  readonly name: string
  readonly tags: readonly string[]
  /** Where the image is put. */
  readonly output: BuildOutput
  /** The image whose layers are taken again, where that is not the one that has the name. */
  readonly previousImage: string | undefined
  /** An image in a registry that keeps what this directory of caches would. */
  readonly cacheImage: string | undefined
  /** Hosts of registries that may be spoken to without TLS. */
  readonly insecureRegistries: readonly string[]
  /** Which image of an index is meant; default: the one for this machine. */
  readonly platform: Platform | undefined
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
  /** Where ids of buildpack registries are looked up: a directory, an address, or a repository on GitHub; default the public one. */
  readonly buildpackRegistry: string | undefined
  /** Leave image extensions of the builder out. */
  readonly skipExtensions: boolean
  readonly workingDirectory: string
  /** Default `slipway/run:base`; for Go modules `slipway/run:static`. */
  readonly runImage: string | undefined
  readonly defaultProcess: string | undefined
  readonly network: 'host' | 'none'
  /** What buildpacks find besides. */
  readonly volumes: readonly Mount[]
  readonly launcher: LauncherChoice
  readonly driver: SandboxDriver
  readonly execEnv: string
  /** Refuse whatever `slipway.lock` does not pin. */
  readonly locked: boolean
  readonly clearCache: boolean
  /** Unix seconds that the image is to carry; default: those of the last commit. */
  readonly created: number | undefined
  /** Directories that get copies of the bills of materials, and report.toml. */
  readonly sbomDirectory: string | undefined
  readonly reportDirectory: string | undefined
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly report: Report
  readonly signal: AbortSignal
}
