import type { Component } from '#bom'
import type { Dependency } from './dependency.ts'
import type { LayerEnvironment } from './environment.ts'

/** Who sees a layer: the image, later buildpacks of this build, the same buildpack in the next build. */
export interface LayerTypes {
  readonly launch?: boolean
  readonly build?: boolean
  readonly cache?: boolean
}

/** A layer while it is made. */
export interface Layer {
  readonly name: string
  readonly directory: string
  readonly environment: LayerEnvironment
  /**
   * Puts a dependency's files into the layer: links where only the build sees the layer, copies where the image does.
   * `into` is a directory inside the layer.
   */
  install(dependency: Dependency, into?: string): Promise<void>
  /** Lets one of the launcher's helpers run before the app starts (`exec.d`). */
  startUpHelper(name: string): Promise<void>
}

export interface LayerPlan {
  /** What people call it: `OpenJDK JRE 21.0.9`. */
  readonly title: string
  readonly types: LayerTypes
  /**
   * Everything that the content follows from. While it equals what the last build recorded, the layer is used again.
   * Strings, whole numbers, booleans, and lists and tables of them.
   */
  readonly metadata: Readonly<Record<string, unknown>>
  /**
   * What is inside, for the bill of materials. A function is asked once the content is made, and not where the layer is used again: then the bill of
   * the last build still holds.
   */
  readonly components?: readonly Component[] | (() => Promise<readonly Component[]>)
  /** Makes the content, in an empty directory. */
  readonly make: (layer: Layer) => Promise<void>
  /** What is to be known of the content also by builds that use the layer again, where it may not be at hand. Asked once it is made. */
  readonly remember?: () => Promise<Readonly<Record<string, unknown>>>
}

/** A layer that is in place. */
export interface MadeLayer {
  readonly directory: string
  readonly reused: boolean
  /** What `remember` said when the content was made. */
  readonly remembered: Readonly<Record<string, unknown>>
}

/** The layers of one buildpack. */
export interface Layers {
  /** The directory that they are in. */
  readonly directory: string
  /** Makes a layer, or uses the last build's again; says which, and what changed. */
  contribute(name: string, plan: LayerPlan): Promise<MadeLayer>
  /**
   * A directory that is kept from build to build, whatever is in it; `metadata` is recorded when the build ends.
   * It is not part of the image.
   */
  keep(name: string, types?: Pick<LayerTypes, 'build'>): Promise<KeptLayer>
  /** Metadata that the last build recorded for a layer, if its data or its record came back. */
  previous(name: string): Promise<Readonly<Record<string, unknown>> | undefined>
}

export interface KeptLayer {
  readonly directory: string
  /** What the last build recorded. */
  readonly previous: Readonly<Record<string, unknown>>
  record(metadata: Readonly<Record<string, unknown>>): Promise<void>
}
