import type { Artifact, MavenRepositories, NpmRegistry, PypiIndex, RegistryAccess } from '#sources'
import type { ReadEntry, Report } from '#std'
import type { LockedArtifact, RuntimeLock } from './runtime.ts'

/** A Debian package as a signed index lists it. */
export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly arch: string
  /** Path in the pool of its archive. */
  readonly path: string
  readonly sha256: string
  readonly size: number
  readonly suite: string
}

/** Debian packages from the archives that this machine knows. */
export interface DebianPackages {
  /** All versions of these packages in a release (with its updates and security fixes), newest first. */
  find(release: string, arch: 'amd64' | 'arm64', names: readonly string[]): Promise<readonly DebianPackage[]>
  /** The package, its size and sha256 compared. */
  fetch(deb: Pick<LockedArtifact, 'locator' | 'sha256' | 'size'> & { suite?: string }): Promise<Artifact>
  /** The files of a package (data.tar). */
  read(path: string): AsyncIterable<ReadEntry>
}

/** What resolving a runtime is handed. Sources are opened only when a recipe asks for them. */
export interface RuntimeContext {
  /** The state directory of slipway; trees go to `<home>/trees`. */
  readonly home: string
  readonly artifacts: RegistryAccess['artifacts']
  readonly debs: () => Promise<DebianPackages>
  readonly npm: () => Promise<NpmRegistry>
  readonly maven: () => Promise<MavenRepositories>
  readonly pypi: () => Promise<PypiIndex>
  /** The entry of `slipway.lock` for this request, if there is one. */
  readonly lock?: RuntimeLock | undefined
  /** Refuse whatever the lock does not name. */
  readonly locked?: boolean
  readonly report: Report
}
