import { append, emptyImage, type ImageStore, type Layer, label, labelsOf, type StoredImage } from '#oci'
import { Problem } from '#std'
import type { Cache, CacheMetadata, CacheWriting } from './cache.ts'
import { CACHE_METADATA, parseCacheMetadata, printCacheMetadata } from './cache-metadata.ts'
import { layerTar, NORMAL_TIME } from './layer-tar.ts'
import { packTree } from './pack-directory.ts'
import { restoreTar } from './restore-tar.ts'
import { timeText } from './time-text.ts'
import type { CacheRules } from './volume-cache.ts'

/** How a cache in an image is opened. */
export interface ImageCacheOptions {
  /** Where the image is; a registry's store is that of the image's repository. */
  readonly store: ImageStore
  readonly name: string
  readonly rules: CacheRules
}

/**
 * The cache of the reference lifecycle in an image: a layer for each cached layer, and a label with the metadata. Writing gives the name to another image; layers that
 * did not change are neither made nor sent again. An image that is not there, or says nothing of a cache, is an empty one.
 */
export function openImageCache(options: ImageCacheOptions): Cache {
  return new ImageCache(options)
}

class ImageCache implements Cache {
  readonly name: string
  readonly #options: ImageCacheOptions
  #image: Promise<StoredImage | undefined> | undefined

  constructor(options: ImageCacheOptions) {
    this.name = options.name
    this.#options = options
  }

  async metadata(): Promise<CacheMetadata | undefined> {
    const image = await this.#opened()
    const text = image && labelsOf(image.config)[CACHE_METADATA]
    if (text === undefined) return undefined
    try {
      return parseCacheMetadata(text, `the label ${CACHE_METADATA} of ${this.name}`)
    } catch (error) {
      if (error instanceof Problem) return undefined
      throw error
    }
  }

  async restoreLayer(diffId: string, target: string, inside: string): Promise<boolean> {
    const layer = await this.#layer(diffId)
    return layer !== undefined && restoreTar(() => layer.uncompressed(), diffId, { host: target, inside })
  }

  async begin(): Promise<CacheWriting> {
    return new ImageWriting(this.#options, diffId => this.#layer(diffId))
  }

  async #layer(diffId: string): Promise<Layer | undefined> {
    return (await this.#opened())?.layers.find(layer => layer.diffId === diffId)
  }

  #opened(): Promise<StoredImage | undefined> {
    this.#image ??= this.#options.store.image(this.name)
    return this.#image
  }
}

class ImageWriting implements CacheWriting {
  readonly #options: ImageCacheOptions
  readonly #before: (diffId: string) => Promise<Layer | undefined>
  readonly #layers = new Map<string, Layer>()

  constructor(options: ImageCacheOptions, before: (diffId: string) => Promise<Layer | undefined>) {
    this.#options = options
    this.#before = before
  }

  async reuse(diffId: string): Promise<boolean> {
    const layer = await this.#before(diffId)
    if (!layer || !(await this.#options.store.has(layer))) return false
    this.#layers.set(diffId, layer)
    return true
  }

  async addLayer(directory: string, inside: string): Promise<string> {
    const { rules, store } = this.#options
    const packed = await packTree({ host: directory, inside }, rules.layers, rules)
    const layer = await store.addLayer(() => layerTar(packed))
    this.#layers.set(layer.diffId, layer)
    return layer.diffId
  }

  /** An image has to have a layer, so an empty cache has an empty one. */
  async commit(metadata: CacheMetadata): Promise<void> {
    const { store, name } = this.#options
    const layers = [...this.#layers.values()]
    if (layers.length === 0) layers.push(await store.addLayer(emptyTar))
    const created = timeText(NORMAL_TIME)
    const image = append(
      emptyImage('linux', ''),
      layers.map(layer => ({ layer, history: { created } })),
    )
    const described = label(image, { [CACHE_METADATA]: printCacheMetadata(metadata).trimEnd() })
    await store.write({ ...described, config: { ...described.config, created } }, [name])
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

async function* emptyTar(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1024)
}
