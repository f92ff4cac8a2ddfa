import type {
  ArtifactStore,
  DebianArchive,
  GoModules,
  MavenRepositories,
  NpmRegistry,
  PypiIndex,
} from '#sources'
import type { ReadEntry, Report } from '#std'
import type { RuntimeLock } from './runtime.ts'

/** Debian packages from the archives that this machine knows. */
export interface DebianPackages extends Pick<DebianArchive, 'find' | 'fetch'> {
  /** The files of a package (data.tar). */
  read(path: string): AsyncIterable<ReadEntry>
}

/** What resolving a runtime is handed. Sources are opened only when a recipe asks for them. */
export interface RuntimeContext {
  /** The state directory of slipway; trees go to `<home>/trees`. */
  readonly home: string
  readonly artifacts: ArtifactStore
  readonly debs: () => Promise<DebianPackages>
  readonly npm: () => Promise<NpmRegistry>
  readonly maven: () => Promise<MavenRepositories>
  readonly pypi: () => Promise<PypiIndex>
  readonly goModules: () => Promise<GoModules>
  /** The entry of `slipway.lock` for this request, if there is one. */
  readonly lock?: RuntimeLock | undefined
  /** Refuse whatever the lock does not name. */
  readonly locked?: boolean
  readonly report: Report
}
