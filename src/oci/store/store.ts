import type { Digest } from '#std'
import type { Image, Layer, StoredImage } from '../image.ts'

/**
 * A place where images live: a layout on disk, a registry, a daemon. A build, an export and a rebase are written against this alone.
 * Nothing that is put in is seen by others under a name before `write` returns, and then all of it is.
 */
export interface ImageStore {
  /** The image of a name, or of exactly this digest (`NAME@DIGEST`); undefined if there is none. Reads no layer. */
  image(reference: string): Promise<StoredImage | undefined>

  /** The layer that was packed here of the plain tar of this digest, if its blob is still here: then it need not be made again. */
  layerByDiffId(diffId: Digest): Promise<Layer | undefined>

  /** True if the packed bytes of the layer are here. */
  has(layer: Layer): Promise<boolean>

  /**
   * Keeps a layer given as a plain tar: hashed, compressed and put in one pass. `open` is asked again where a transfer has to start over, and has to
   * give the same bytes. Throws a `Problem` (`LAYER_DIFFERS`) if it is not the one that was expected.
   */
  addLayer(open: () => AsyncIterable<Uint8Array>, expected?: Digest): Promise<Layer>

  /** Takes over a layer of another store, packed as it is there; one that is here already is not moved. Throws a `Problem` (`BLOB_DAMAGED`, `LAYER_DIFFERS`). */
  importLayer(layer: Layer): Promise<Layer>

  /** Writes an image whose layers are all here, and gives it names: all of them or, after a failure, none that it had not before. */
  write(image: Image, names: readonly string[]): Promise<StoredImage>

  /** Protects what is in the store from being collected, until disposed. */
  lease(): Promise<AsyncDisposable>
}
