import { findRunImage, type RunImage } from '#cnb'
import type { StoredImage } from '#oci'
import { Problem } from '#std'
import type { BuildBasesOptions } from '../build/bases.ts'
import { nearestFirst, registryOf } from '../images/registry-image.ts'
import { builderInvalid } from '../problems.ts'
import type { Builder } from './builder.ts'

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
  const { near } = options.images
  // Copies in the registry that the image goes to come first, else those in that of the builder, as with pack.
  const names = nearestFirst([listed.image, ...listed.mirrors], near ?? registryOf(builder.name))
  for (const name of near === undefined ? names : []) {
    const image = (await options.images.has(name)) ? await options.store.image(name) : undefined
    if (image) return { image, name: listed.image, mirrors: listed.mirrors }
  }
  const failures: unknown[] = []
  for (const name of names) {
    try {
      return { image: await findRun(name, options), name: listed.image, mirrors: listed.mirrors }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      failures.push(error)
    }
  }
  throw failures[0]
}

function named(image: StoredImage, name: string, listed: RunImage | undefined): ChosenRunImage {
  return { image, name, mirrors: listed?.mirrors ?? [] }
}

/** A run image of the store or of its registry; a base of ours is made where it is not there. Throws a `Problem` (`IMAGE_MISSING`, or what making a base throws). */
export async function findRun(
  name: string,
  { store, bases, locked, images }: Pick<BuildBasesOptions, 'store' | 'bases' | 'locked' | 'images'>,
): Promise<StoredImage> {
  const here = images.near === undefined && (await images.has(name)) ? await store.image(name) : undefined
  if (here) return here
  const base = await bases.find(name).catch(() => undefined)
  return base ? (await bases.image(base, { locked, pin: 'newest' })).image : await images.run(name)
}
