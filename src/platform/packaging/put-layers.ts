import { append, type History, type Image, type ImageStore, type Layer, type StoredImage } from '#oci'
import type { ModuleTar } from './module.ts'

/** Layers made at once. */
const AT_ONCE = 4

/** Everything in these images is of one time. */
export const CREATED = '1980-01-01T00:00:01Z'

/** A layer to come, and the line of history that says what it is. */
export interface NamedTar {
  readonly tar: ModuleTar
  readonly what: string
}

/**
 * Puts layers on an image, several at once: one that came packed keeps its bytes, another is packed here unless its digest is there already.
 * An image that is copied to `store` brings its own layers along.
 */
export async function putLayers(image: Image, tars: readonly NamedTar[], store: ImageStore): Promise<Image> {
  const below = await inParallel(image.layers, layer => store.importLayer(layer))
  const above = await inParallel(tars, ({ tar }) => putTar(tar, store))
  const additions = above.map((layer, index) => ({ layer, history: historyOf(tars[index]?.what ?? '') }))
  return append({ ...image, family: 'oci', layers: below }, additions)
}

async function putTar({ diffId, open, layer }: ModuleTar, store: ImageStore): Promise<Layer> {
  if (layer) return store.importLayer(layer)
  return (await store.layerByDiffId(diffId)) ?? store.addLayer(open, diffId)
}

function historyOf(what: string): History {
  return { created: CREATED, created_by: `slipway: ${what}` }
}

async function inParallel<In, Out>(items: readonly In[], make: (item: In) => Promise<Out>): Promise<Out[]> {
  const made: Out[] = []
  let next = 0
  const work = async () => {
    for (let index = next++; index < items.length; index = next++) {
      try {
        made[index] = await make(items[index] as In)
      } catch (error) {
        next = items.length
        throw error
      }
    }
  }
  const outcomes = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, items.length) }, work))
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return made
}

/**
 * Writes an image that is one of several for different platforms: under its name where it has one of its own, else by its digest alone, for the index to name.
 */
export function writeOne(
  store: ImageStore,
  image: Image,
  name: string,
  alone: boolean,
): Promise<StoredImage> {
  return store.write(image, alone ? [name] : [])
}
