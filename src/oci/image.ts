import type { Readable } from 'node:stream'
import type { Digest } from '#std'
import type { ImageConfig } from './config.ts'
import type { Descriptor } from './descriptor.ts'
import type { Family } from './media-types.ts'
import type { Repository } from './reference.ts'

/** A layer: its plain tar is named by `diffId`, its packed blob by the descriptor. */
export interface Layer {
  readonly diffId: Digest
  readonly blob: Descriptor
  /** The repository of a registry that has the blob: a write to another repository of that registry takes it over there (mounts it). */
  readonly origin?: Repository
  /** Opens the packed bytes. */
  compressed(): Promise<Readable>
  /** Opens the plain tar. */
  uncompressed(): Promise<Readable>
}

/** An image as a value; edits return new ones. `layers` agree with `config.rootfs.diff_ids`, one by one. */
export interface Image {
  readonly family: Family
  readonly config: ImageConfig
  readonly layers: readonly Layer[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** An image that is in a store, with the digest of its manifest. */
export interface StoredImage extends Image {
  readonly digest: Digest
  /** The ID by which a daemon knows it; other stores have none. */
  readonly imageId?: Digest
  /** Bytes of the manifest. */
  readonly manifestSize: number
  readonly configDigest: Digest
  /** Bytes of the configuration. */
  readonly configSize: number
}

/** The empty image of a platform: no layers, no settings. */
export function emptyImage(os: string, architecture: string, family: Family = 'oci'): Image {
  return {
    family,
    config: { architecture, os, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
    layers: [],
  }
}
