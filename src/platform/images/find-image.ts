import type { LayoutStore, StoredImage } from '#oci'
import { isDigest } from '#std'
import { imageMissing } from '../problems.ts'

/**
 * The image of this name, of this manifest digest, or of a named image's digest as lists shorten it (7 hex digits or more that fit one
 * digest only). Throws a `Problem` (`IMAGE_MISSING`, exit code 3).
 */
export async function findImage(store: LayoutStore, wanted: string): Promise<StoredImage> {
  const image = (await store.image(wanted)) ?? (await byShortDigest(store, wanted))
  if (!image) throw imageMissing(wanted)
  return image
}

async function byShortDigest(store: LayoutStore, wanted: string): Promise<StoredImage | undefined> {
  if (!/^[0-9a-f]{7,64}$/.test(wanted)) return undefined
  const digests = new Set((await store.list()).map(({ descriptor }) => descriptor.digest))
  const [found, another] = [...digests].filter(digest => digest.startsWith(`sha256:${wanted}`))
  return found === undefined || another !== undefined ? undefined : store.image(found)
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
