import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { type Digest, Digesting, hexOf, isDigest, parseJson, readIfExists, writeDurably } from '#std'
import { parseConfig } from '../config.ts'
import { type Descriptor, describeBytes, parseDescriptor } from '../descriptor.ts'
import type { Image, Layer, StoredImage } from '../image.ts'
import { parseManifest, printManifest } from '../manifest.ts'
import { compressionOf, DOCKER, isIndexType, OCI } from '../media-types.ts'
import { digestIn, parseName, parseRefName } from '../name.ts'
import { blobMissing, layerDiffers, layoutUnusable } from '../problems.ts'
import { Blobs } from './blobs.ts'
import { type Collected, collect } from './collect.ts'
import { lockLayout, prepareLayout } from './ground.ts'
import { gzip } from './gzip.ts'
import { type ImageDocuments, platformOf } from './image-documents.ts'
import { changeIndex, nameOf, parseIndex, REF_NAME, readIndex } from './index-file.ts'
import { type Lease, takeLease } from './lease.ts'
import type { ImageStore } from './store.ts'
import { packedLayer } from './stored-layer.ts'

/** An image in a listing. */
export interface Listed {
  readonly name: string
  readonly descriptor: Descriptor
}

/**
 * A store of images: a plain OCI image layout on disk (image-spec image-layout.md) that other tools read, safe for many
 * processes at once. `.slipway/` in it holds what is ours: which blob has which diffID, leases, and what is being written.
 */
export class LayoutStore implements ImageStore {
  readonly root: string
  readonly blobs: Blobs
  readonly #parseName: (text: string) => string

  constructor(root: string, nameRule: (text: string) => string) {
    this.root = root
    this.blobs = new Blobs(root)
    this.#parseName = nameRule
  }

  /** The descriptor of the image of this name. */
  async resolve(name: string): Promise<Descriptor | undefined> {
    const wanted = this.#parseName(name)
    return (await readIndex(this.root)).find(each => nameOf(each) === wanted)
  }

  /** Every name, sorted, with what it stands for. */
  async list(): Promise<Listed[]> {
    const named = (await readIndex(this.root)).flatMap(descriptor => {
      const name = nameOf(descriptor)
      return name === undefined ? [] : [{ name, descriptor }]
    })
    return named.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Everything that the index lists, named or not. */
  descriptors(): Promise<Descriptor[]> {
    return readIndex(this.root)
  }

  /** An image by name, by manifest digest, or by both (`NAME@DIGEST`: then the name does not matter). Throws a `Problem` if what is stored is damaged. */
  async image(reference: string): Promise<StoredImage | undefined> {
    return this.#image(digestIn(reference) ?? reference)
  }

  async #image(nameOrDigest: string): Promise<StoredImage | undefined> {
    const descriptor = isDigest(nameOrDigest) ? undefined : await this.resolve(nameOrDigest)
    const digest = isDigest(nameOrDigest) ? nameOrDigest : descriptor?.digest
    if (digest === undefined) return undefined
    if ((await this.blobs.size(digest)) === undefined) {
      if (descriptor) throw blobMissing(digest, nameOrDigest)
      return undefined
    }
    const bytes = await this.blobs.read(digest)
    const manifest = parseManifest(bytes, `the manifest ${digest}`)
    if ((await this.blobs.size(manifest.config.digest)) === undefined)
      throw blobMissing(manifest.config.digest, nameOrDigest)
    const config = parseConfig(
      await this.blobs.read(manifest.config.digest),
      `the configuration of ${nameOrDigest}`,
    )
    const diffIds = config.rootfs.diff_ids
    if (diffIds.length !== manifest.layers.length) {
      throw layoutUnusable(
        nameOrDigest,
        `it has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`,
      )
    }
    return {
      family: manifest.family,
      config,
      layers: manifest.layers.map((blob, index) => this.#layer(diffIds[index] as Digest, blob)),
      ...(manifest.annotations && { annotations: manifest.annotations }),
      digest,
      manifestSize: bytes.length,
      configDigest: manifest.config.digest,
      configSize: manifest.config.size,
    }
  }

  /** The bytes of an image's manifest and configuration, as they are here. */
  async documents({ digest, configDigest }: StoredImage): Promise<ImageDocuments> {
    return { manifest: await this.blobs.read(digest), config: await this.blobs.read(configDigest) }
  }

  /** What an index of images, such as one for several platforms, lists. */
  async index(digest: Digest): Promise<Descriptor[]> {
    if ((await this.blobs.size(digest)) === undefined) throw blobMissing(digest, digest)
    return parseIndex(new TextDecoder().decode(await this.blobs.read(digest)), `the index ${digest}`)
  }

  /** The layer that was made here of the plain tar of this digest, if its blob is still here: then it need not be made again. */
  async layerByDiffId(diffId: Digest): Promise<Layer | undefined> {
    const blob = readRecord(await readIfExists(this.#diffIdFile(diffId)))
    if (!blob) return undefined
    return (await this.blobs.size(blob.digest)) === blob.size ? this.#layer(diffId, blob) : undefined
  }

  /** True if the packed bytes of the layer are here. */
  async has({ blob }: Layer): Promise<boolean> {
    return (await this.blobs.size(blob.digest)) === blob.size
  }

  /**
   * Keeps a layer given as a plain tar: hashed, compressed and written in one pass.
   * Throws a `Problem` (`LAYER_DIFFERS`) if it is not the one that was expected.
   */
  async addLayer(open: () => AsyncIterable<Uint8Array>, expected?: Digest): Promise<Layer> {
    await prepareLayout(this.root)
    const plain = new Digesting()
    const hashed = pipeline(open(), plain, () => {}) as unknown as Digesting
    const { digest, size } = await this.blobs.stream(gzip(hashed))
    if (expected && plain.digest() !== expected) throw layerDiffers(expected, plain.digest())
    return this.#remember(plain.digest(), { mediaType: OCI.layer, digest, size })
  }

  /**
   * Takes over a layer of another store, packed as it is there, after checking both of its digests. It does not become the layer of its
   * diffID: what a build makes must not depend on how others had packed the same layer before.
   * Throws a `Problem` (`BLOB_DAMAGED`, `LAYER_DIFFERS`).
   */
  async importLayer({ diffId, blob, compressed }: Layer): Promise<Layer> {
    await prepareLayout(this.root)
    const own = this.#layer(diffId, blob)
    const here = (await this.blobs.size(blob.digest)) === blob.size
    const checked = join(this.root, '.slipway/checked', hexOf(blob.digest))
    if (here && (await readIfExists(checked)) === diffId) return own
    if (here && (await this.layerByDiffId(diffId))?.blob.digest === blob.digest) return own
    if (!here) await this.blobs.stream(await compressed(), { digest: blob.digest, size: blob.size })
    const plain = new Digesting()
    for await (const _ of pipeline(await own.uncompressed(), plain, () => {}) as unknown as Digesting) {
      // Only the digest of the plain tar is of interest.
    }
    if (plain.digest() !== diffId) throw layerDiffers(diffId, plain.digest())
    await writeDurably(checked, diffId)
    return own
  }

  /** Writes an image whose layers are all here, and gives it names. Until this returns nobody sees any of it. */
  async write(image: Image, names: readonly string[]): Promise<StoredImage> {
    await prepareLayout(this.root)
    const checked = names.map(this.#parseName)
    const types = image.family === 'oci' ? OCI : DOCKER
    const configBytes = Buffer.from(JSON.stringify(image.config))
    const layers = image.layers.map(layer => ({
      ...layer.blob,
      mediaType: layerType(layer.blob.mediaType, image.family),
    }))
    await this.#mustHave(layers, names[0] ?? 'the image')
    const config = describeBytes(types.config, configBytes)
    const manifest = printManifest({
      family: image.family,
      config,
      layers,
      ...(image.annotations && { annotations: image.annotations }),
    })
    await this.blobs.add(configBytes)
    await this.blobs.add(manifest)
    const descriptor = describeBytes(types.manifest, manifest)
    await this.#name(checked, { ...descriptor, platform: platformOf(image.config) })
    return {
      ...image,
      digest: descriptor.digest,
      manifestSize: manifest.length,
      configDigest: config.digest,
      configSize: config.size,
    }
  }

  /** Takes over the manifest and configuration of an image whose layers are all here, byte for byte, so that its digest stays. */
  async adopt(
    image: StoredImage,
    { manifest, config }: ImageDocuments,
    names: readonly string[],
  ): Promise<StoredImage> {
    const checked = names.map(this.#parseName)
    await this.#mustHave(
      image.layers.map(layer => layer.blob),
      names[0] ?? 'the image',
    )
    await prepareLayout(this.root)
    await this.blobs.add(config)
    await this.blobs.add(manifest)
    const mediaType = image.family === 'oci' ? OCI.manifest : DOCKER.manifest
    await this.#name(checked, {
      mediaType,
      digest: image.digest,
      size: manifest.length,
      platform: platformOf(image.config),
    })
    return image
  }

  /** Gives the image of one name (or digest) another name too. False if there is no such image. */
  async tag(from: string, to: string): Promise<boolean> {
    const name = this.#parseName(to)
    const descriptor = isDigest(from) ? await this.#describe(from) : await this.resolve(from)
    if (!descriptor) return false
    const { annotations: _, ...rest } = descriptor
    await this.#name([name], rest)
    return true
  }

  /** Takes names away; returns those that were there. Contents go with the next `gc`. */
  async remove(names: readonly string[]): Promise<string[]> {
    const wanted = new Set(names.map(this.#parseName))
    const removed: string[] = []
    await changeIndex(this.root, manifests =>
      manifests.filter(each => {
        const name = nameOf(each)
        if (name === undefined || !wanted.has(name)) return true
        removed.push(name)
        return false
      }),
    )
    return removed
  }

  /** Protects everything in the store, and all that is about to be written, from `gc` until disposed. */
  async lease(): Promise<Lease> {
    await prepareLayout(this.root)
    await using _ = await lockLayout(this.root)
    return await takeLease(join(this.root, '.slipway/leases'))
  }

  /** Deletes what no named image needs. While a build runs nothing is deleted, so it can never miss what it relied on. */
  gc(): Promise<Collected> {
    return collect(this.root, this.blobs)
  }

  async #describe(digest: Digest): Promise<Descriptor | undefined> {
    const image = await this.image(digest)
    if (!image) return undefined
    const mediaType = image.family === 'oci' ? OCI.manifest : DOCKER.manifest
    return { mediaType, digest, size: image.manifestSize, platform: platformOf(image.config) }
  }

  async #mustHave(blobs: readonly Descriptor[], image: string): Promise<void> {
    for (const { digest, size } of blobs) {
      if ((await this.blobs.size(digest)) !== size) throw blobMissing(digest, image)
    }
  }

  #layer(diffId: Digest, blob: Descriptor): Layer {
    return packedLayer(diffId, blob, () => this.blobs.open(blob.digest))
  }

  async #remember(diffId: Digest, blob: Descriptor): Promise<Layer> {
    await writeDurably(this.#diffIdFile(diffId), JSON.stringify(blob))
    return this.#layer(diffId, blob)
  }

  #diffIdFile(diffId: Digest): string {
    return join(this.root, '.slipway/diff-ids', hexOf(diffId))
  }

  async #name(names: readonly string[], descriptor: Descriptor): Promise<void> {
    if (names.length === 0) return
    const taken = new Set(names)
    await changeIndex(this.root, manifests => [
      ...manifests.filter(each => !taken.has(nameOf(each) ?? '')),
      ...[...taken].map(name => ({ ...descriptor, annotations: { [REF_NAME]: name } })),
    ])
  }
}

/** Only a memory: what cannot be read is as good as nothing. */
function readRecord(text: string | undefined): Descriptor | undefined {
  try {
    return text === undefined ? undefined : parseDescriptor(parseJson(text, 'a record'), 'a record')
  } catch {
    return undefined
  }
}

function layerType(mediaType: string, family: Image['family']): string {
  return compressionOf(mediaType) === 'gzip' ? (family === 'oci' ? OCI.layer : DOCKER.layer) : mediaType
}

/** True for a descriptor of several images, one for each platform. */
export function isIndex({ mediaType }: Descriptor): boolean {
  return isIndexType(mediaType)
}

/** Opens the store in a directory, which is made when something is first written. Names are those of repositories (`parseName`). */
export function openLayout(root: string): LayoutStore {
  return new LayoutStore(root, parseName)
}

/** Opens an image layout for exchange with other tools: names stay as they are written, such as a bare tag. */
export function openExchange(root: string): LayoutStore {
  return new LayoutStore(root, parseRefName)
}
