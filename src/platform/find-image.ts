import type { LayoutStore, StoredImage } from '#oci'
import { isDigest } from '#std'
import { imageMissing } from './problems.ts'

/** The image of this name, or of this manifest digest, in the store. Throws a `Problem` (`IMAGE_MISSING`, exit code 3). */
export async function findImage(store: LayoutStore, nameOrDigest: string): Promise<StoredImage> {
  const image = await store.image(nameOrDigest)
  if (!image) throw imageMissing(nameOrDigest)
  return image
}

/** Bytes of an image as a registry counts them: manifest, configuration and packed layers, each once. */
export function sizeOf({ layers, manifestSize, configSize }: StoredImage): number {
  const blobs = new Map(layers.map(({ blob }) => [blob.digest, blob.size]))
  return [...blobs.values()].reduce((total, size) => total + size, manifestSize + configSize)
}

/** A digest, shortened for people. */
export function shortDigest(digest: string): string {
  return isDigest(digest) ? digest.slice('sha256:'.length, 'sha256:'.length + 12) : digest
}
