import type { BuildpackDescriptor, ModuleInfo, ModuleLayer } from '#cnb'
import type { Layer } from '#oci'
import type { Digest } from '#std'

/** A layer with one buildpack or several: a plain tar that can be opened again and again. */
export interface ModuleTar {
  readonly diffId: Digest
  open(): AsyncIterable<Uint8Array>
  /** Set where it comes packed from an image, whose bytes are taken over. */
  readonly layer?: Layer
}

/** A buildpack or extension that goes into a buildpackage or a builder. */
export interface PackageModule {
  readonly kind: BuildpackDescriptor['kind']
  readonly info: ModuleInfo
  /** What labels say of it; `layerDiffId` is that of `tar`. */
  readonly about: ModuleLayer
  /** True unless it is known to have no bin/build. */
  readonly hasBuild: boolean
  /** Modules that share a layer share this object. */
  readonly tar: ModuleTar
}

/** What one place gives: the module that is meant, and those that came with it. */
export interface LocatedModules {
  readonly main: PackageModule
  readonly dependencies: readonly PackageModule[]
}

/** The main module, then the others by id and version. */
export function allOf({ main, dependencies }: LocatedModules): readonly PackageModule[] {
  return [main, ...dependencies]
}
