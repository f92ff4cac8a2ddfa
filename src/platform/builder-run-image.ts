import { findRunImage, type RunImage } from '#cnb'
import type { StoredImage } from '#oci'
import type { BuildBasesOptions } from './build-bases.ts'
import type { Builder } from './builder.ts'
import { builderInvalid, imageMissing } from './problems.ts'

/** The run image of a build with a builder. */
export interface ChosenRunImage {
  readonly image: StoredImage
  /** As it was asked for. */
  readonly name: string
  readonly mirrors: readonly string[]
}

/**
 * Chooses the run image as pack does: the one that the person names, else of the builder's first run image and its mirrors the first that is
 * there; a base of ours is made. Throws a `Problem` (`BUILDER_INVALID`, `IMAGE_MISSING`, or what making a base throws).
 */
export async function builderRunImage(builder: Builder, options: BuildBasesOptions): Promise<ChosenRunImage> {
  const asked = options.runImage
  const listed = asked === undefined ? builder.runImages[0] : findRunImage(builder.runImages, asked)
  if (asked !== undefined) return named(await findRun(asked, options), asked, listed)
  if (!listed) throw builderInvalid(builder.name, 'it names no run image; name one with --run-image')
  for (const name of [listed.image, ...listed.mirrors]) {
    const image = await options.store.image(name)
    if (image) return { image, name: listed.image, mirrors: listed.mirrors }
  }
  return named(await findRun(listed.image, options), listed.image, listed)
}

function named(image: StoredImage, name: string, listed: RunImage | undefined): ChosenRunImage {
  return { image, name, mirrors: listed?.mirrors ?? [] }
}

/** A run image of the store; a base of ours is made where it is not there. Throws a `Problem` (`IMAGE_MISSING`, or what making a base throws). */
export async function findRun(
  name: string,
  { store, bases, locked }: Pick<BuildBasesOptions, 'store' | 'bases' | 'locked'>,
): Promise<StoredImage> {
  const image = await store.image(name)
  if (image) return image
  const base = await bases.find(name).catch(() => undefined)
  if (!base) throw imageMissing(name)
  return (await bases.image(base, { locked, pin: 'newest' })).image
}
