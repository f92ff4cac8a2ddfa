import { Readable } from 'node:stream'
import { type Digest, Problem } from '#std'
import { parseConfig } from '../../config.ts'
import type { Descriptor } from '../../descriptor.ts'
import type { Layer, StoredImage } from '../../image.ts'
import { parseManifest } from '../../manifest.ts'
import { DOCKER, isIndexType, OCI } from '../../media-types.ts'
import { blobMissing } from '../../problems.ts'
import {
  nameIn,
  parseReference,
  printReference,
  type Reference,
  type Repository,
  withTag,
} from '../../reference.ts'
import type { ImageDocuments } from '../image-documents.ts'
import { parseIndex } from '../index-file.ts'
import { packedLayer } from '../stored-layer.ts'
import { type BlobSource, openBlob, readBlob } from './blobs.ts'
import type { DocumentMemory } from './document-memory.ts'
import type { RegistryHost } from './host.ts'
import { type Document, Manifests } from './manifests.ts'
import { choosePlatform, type Platform } from './platform.ts'
import type { Presence } from './presence.ts'
import { confused } from './problems.ts'
import type { Mirror } from './settings.ts'

/** What reading needs. */
export interface ReaderOptions {
  readonly host: (registry: string) => RegistryHost
  readonly platform: Platform
  readonly mirrors: (registry: string) => Promise<readonly Mirror[]>
  readonly presence: Presence
  readonly documents: DocumentMemory
}

/** Layers up to this size, such as bills of materials, are remembered as configurations are. */
const SMALL = 64 << 10

/** Reads images of registries: of their mirrors first, and of themselves where those do not have it or do not answer. */
export class ImageReader {
  readonly #options: ReaderOptions
  readonly #seen = new Map<string, Digest>()

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  /**
   * The image of a reference; of an index the one for the platform. Undefined if there is none. Reads manifests and the configuration, no layer.
   * Throws a `Problem` (`REGISTRY_UNAUTHORIZED`, `REGISTRY_DENIED`, `PLATFORM_MISSING`, `REGISTRY_CONTENT_DIFFERS`, …).
   */
  async image(reference: string): Promise<StoredImage | undefined> {
    const wanted = withTag(parseReference(reference))
    return await this.#fromFirst(wanted, async place => {
      const manifests = this.#manifests(place)
      const found = await manifests.get(nameIn(wanted))
      if (!found) return undefined
      if (place.registry === wanted.registry) this.#seen.set(printReference(wanted), found.descriptor.digest)
      const document = isIndexType(found.descriptor.mediaType)
        ? await this.#choose(found, wanted, manifests)
        : found
      return await this.#read(document, wanted, place)
    })
  }

  /** What a reference stands for, an index being one answer; undefined if it stands for nothing. One request, which reads nothing. */
  async resolve(reference: string): Promise<Descriptor | undefined> {
    const wanted = withTag(parseReference(reference))
    return await this.#fromFirst(wanted, place => this.#manifests(place).head(nameIn(wanted)))
  }

  /** What a reference stood for when it was last read from the registry itself; undefined if it was not. */
  seen(reference: Reference): Digest | undefined {
    return this.#seen.get(printReference(reference))
  }

  /** The bytes of an image's manifest and configuration, as they are in the registry. */
  async documents(reference: string, image: StoredImage): Promise<ImageDocuments> {
    const wanted = parseReference(reference)
    const manifest = await this.#fromFirst(wanted, place => this.#manifests(place).get(image.digest))
    if (!manifest) throw blobMissing(image.digest, reference)
    const mediaType = image.family === 'oci' ? OCI.config : DOCKER.config
    const config = await readBlob(this.#sources(wanted), {
      mediaType,
      digest: image.configDigest,
      size: image.configSize,
    })
    return { manifest: manifest.bytes, config }
  }

  async #choose(index: Document, wanted: Reference, manifests: Manifests): Promise<Document> {
    const place = printReference(wanted)
    const chosen = choosePlatform(
      parseIndex(index.bytes.toString('utf8'), place),
      this.#options.platform,
      place,
    )
    const found = await manifests.get(chosen.digest)
    if (!found || isIndexType(found.descriptor.mediaType)) throw blobMissing(chosen.digest, place)
    return found
  }

  async #read(
    { descriptor, bytes }: Document,
    wanted: Reference,
    readFrom: Repository,
  ): Promise<StoredImage> {
    const place = printReference(wanted)
    const manifest = parseManifest(bytes, place)
    const config = parseConfig(await this.#small(wanted, manifest.config), `the configuration of ${place}`)
    const diffIds = config.rootfs.diff_ids
    if (diffIds.length !== manifest.layers.length)
      throw confused(place, `it has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`)
    // What a mirror has says nothing about the registry itself.
    const atHome = readFrom.registry === wanted.registry
    const known = atHome ? this.#options.presence.knownIn(wanted) : new Set<Digest>()
    for (const { digest } of [manifest.config, ...manifest.layers]) known.add(digest)
    return {
      family: manifest.family,
      config,
      layers: manifest.layers.map((blob, index) => {
        const { origin, ...layer } = this.layer(diffIds[index] as Digest, blob, wanted)
        return atHome && origin ? { ...layer, origin } : layer
      }),
      ...(manifest.annotations && { annotations: manifest.annotations }),
      digest: descriptor.digest,
      manifestSize: bytes.length,
      configDigest: manifest.config.digest,
      configSize: manifest.config.size,
    }
  }

  /** A layer whose blob is in a repository. */
  layer(diffId: Digest, blob: Descriptor, { registry, repository }: Repository): Layer {
    const origin = { registry, repository }
    const open = () => {
      if (blob.size > SMALL) return openBlob(this.#sources(origin), blob)
      return Readable.from(
        once(() => this.#small(origin, blob)),
        { objectMode: false },
      )
    }
    return { ...packedLayer(diffId, blob, open), origin }
  }

  /** A small blob, from memory where it was read before. */
  async #small(place: Repository, blob: Descriptor): Promise<Buffer> {
    const { documents } = this.#options
    const known = await documents.recall(blob)
    if (known) return known
    const bytes = await readBlob(this.#sources(place), blob)
    await documents.remember(blob, bytes)
    return bytes
  }

  #source({ registry, repository }: Repository) {
    return { host: this.#options.host(registry), repository }
  }

  /** Where the blobs of a repository are read: its mirrors, then itself. */
  #sources(place: Repository): () => Promise<readonly BlobSource[]> {
    return async () => (await this.#places(place)).map(each => this.#source(each))
  }

  async #places({ registry, repository }: Repository): Promise<readonly Repository[]> {
    const mirrors = await this.#options.mirrors(registry)
    const mirrored = mirrors.map(each => ({
      registry: each.registry,
      repository: `${each.path}${repository}`,
    }))
    return [...mirrored, { registry, repository }]
  }

  /** Asks the mirrors, and where they do not have it or do not answer, the registry itself. */
  async #fromFirst<Found>(
    wanted: Repository,
    ask: (place: Repository) => Promise<Found | undefined>,
  ): Promise<Found | undefined> {
    const places = await this.#places(wanted)
    for (const place of places.slice(0, -1)) {
      try {
        const found = await ask(place)
        if (found !== undefined) return found
      } catch (error) {
        if (!(error instanceof Problem)) throw error
      }
    }
    return await ask(wanted)
  }

  #manifests({ registry, repository }: Repository): Manifests {
    return new Manifests(this.#options.host(registry), repository)
  }
}

async function* once(read: () => Promise<Buffer>): AsyncGenerator<Buffer> {
  yield await read()
}
