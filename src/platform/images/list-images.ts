import { LIFECYCLE_LABEL, parseLifecycleMetadata } from '#cnb'
import { type ImageConfig, type LayoutStore, labelsOf } from '#oci'
import { type Digest, Problem } from '#std'
import { sizeOf } from './find-image.ts'

/** An image as lists show it. */
export interface ImageSummary {
  readonly name: string
  readonly digest: Digest
  /** Bytes; absent where the image is damaged. */
  readonly size?: number
  /** ISO 8601. */
  readonly created?: string
  /** What it stands on, where a build recorded that. */
  readonly base?: string
  /** Why the image cannot be used. */
  readonly damage?: string
}

/** Every named image of the store, sorted by name. One that is damaged is listed with the reason. */
export async function listImages(store: LayoutStore): Promise<ImageSummary[]> {
  const listed = await store.list()
  return Promise.all(
    listed.map(async ({ name, descriptor: { digest } }) => {
      try {
        const image = await store.image(name)
        if (!image) return { name, digest, damage: 'it was removed meanwhile' }
        const { created } = image.config
        const base = baseOf(image.config)
        return {
          name,
          digest: image.digest,
          size: sizeOf(image),
          ...(created && { created }),
          ...(base && { base }),
        }
      } catch (error) {
        if (error instanceof Problem) return { name, digest, damage: error.why }
        throw error
      }
    }),
  )
}

/** The name of the run image, else its reference; undefined where no build left a readable label. */
function baseOf(config: ImageConfig): string | undefined {
  const label = labelsOf(config)[LIFECYCLE_LABEL]
  if (label === undefined) return undefined
  try {
    const { runImage, stack } = parseLifecycleMetadata(label, 'the label')
    return runImage.image || stack?.runImage.image || runImage.reference || undefined
  } catch {
    return undefined
  }
}
