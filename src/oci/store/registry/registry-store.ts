import { type Digest, isDigest, Problem } from '#std'
import { parseConfig } from '../../config.ts'
import { type Descriptor, describeBytes } from '../../descriptor.ts'
import type { Image, Layer, StoredImage } from '../../image.ts'
import { LARGEST_MANIFEST, parseManifest } from '../../manifest.ts'
import { DOCKER, isIndexType, OCI } from '../../media-types.ts'
import { blobMissing } from '../../problems.ts'
import { parseReference, printReference, type Reference, type Repository, withTag } from '../../reference.ts'
import { describedBy, documentsOf, type ImageDocuments } from '../image-documents.ts'
import { parseIndex } from '../index-file.ts'
import type { ImageStore } from '../store.ts'
import { packedLayer } from '../stored-layer.ts'
import { type BlobSource, hasBlob, openBlob, readBlob } from './blobs.ts'
import type { RegistryHost } from './host.ts'
import type { LayerMemory } from './layer-memory.ts'
import { deleteReference, listTags } from './listing.ts'
import { type Document, Manifests } from './manifests.ts'
import { packTarWhileSent } from './packing.ts'
import { choosePlatform, type Platform } from './platform.ts'
import { confused, manifestTooLarge, otherRegistry, tagsPartial } from './problems.ts'
import { EMPTY, listReferrers, putReferrer, type Referrer } from './referrers.ts'
import type { Mirror } from './settings.ts'
import { Uploads, type Wait } from './upload.ts'

/** Blobs under way at once. */
const AT_ONCE = 4

/** What a store of one repository is made of. */
export interface RegistryStoreOptions {
  readonly place: Repository
  readonly host: (registry: string) => RegistryHost
  readonly memory: LayerMemory
  readonly platform: Platform
  readonly wait: Wait
  readonly mirrors: (registry: string) => Promise<readonly Mirror[]>
}

/** What is said about an image: some blobs of one kind, and the image as it is in the repository. */
export interface Attachment {
  readonly subject: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>
  readonly artifactType: string
  readonly blobs: readonly { readonly mediaType: string; readonly bytes: Buffer }[]
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Images of a registry. `addLayer`, `importLayer` and `has` are about one repository, that of the image which is going to be written; references in full may name any other, to
 * read from it, or, of the same registry, to write there too. Nothing has a tag before everything that it needs is there.
 */
export class RegistryStore implements ImageStore {
  readonly place: Repository
  readonly #options: RegistryStoreOptions
  /** Blobs that are known to be in a repository. */
  readonly #known = new Map<string, Set<Digest>>()
  /** Layers of earlier images of the same app, which a build may take again. */
  readonly #reusable = new Map<Digest, Layer>()

  constructor(options: RegistryStoreOptions) {
    this.#options = options
    this.place = options.place
  }

  /**
   * The image of a reference; of an index the one for the platform. Undefined if there is none. Reads manifests and the configuration, no layer.
   * Throws a `Problem` (`REGISTRY_UNAUTHORIZED`, `REGISTRY_DENIED`, `PLATFORM_MISSING`, `REGISTRY_CONTENT_DIFFERS`, …).
   */
  async image(reference: string): Promise<StoredImage | undefined> {
    const wanted = withTag(parseReference(reference))
    return await this.#fromFirst(wanted, async place => {
      const manifests = this.#manifests(place)
      const found = await manifests.get(nameOf(wanted) as string)
      if (!found) return undefined
      const document = isIndexType(found.descriptor.mediaType)
        ? await this.#choose(found, wanted, manifests)
        : found
      return await this.#read(document, wanted, place)
    })
  }

  /** What a reference stands for, an index being one answer; undefined if it stands for nothing. One request, which reads nothing. */
  async resolve(reference: string): Promise<Descriptor | undefined> {
    const wanted = withTag(parseReference(reference))
    return await this.#fromFirst(wanted, place => this.#manifests(place).head(nameOf(wanted) as string))
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

  /** Lets layers of an earlier image of the same app be taken for those that a build would make, by their diffIDs. */
  reuse(image: Image): void {
    for (const layer of image.layers) this.#reusable.set(layer.diffId, layer)
  }

  /** The layer of this diffID that was made here before, or is one of those to `reuse`; if the registry has its blob still, be it in another repository. */
  async layerByDiffId(diffId: Digest): Promise<Layer | undefined> {
    const reusable = this.#reusable.get(diffId)
    if (reusable)
      return (await this.#bring(reusable, this.place)) ? this.#layer(diffId, reusable.blob) : undefined
    const remembered = await this.#options.memory.recall(diffId)
    if (remembered?.origin.registry !== this.place.registry) return undefined
    const layer = { ...this.#layer(diffId, remembered.blob, remembered.origin) }
    return (await this.#bring(layer, this.place, true)) ? this.#layer(diffId, remembered.blob) : undefined
  }

  /** Throws a `Problem` if this user may not write to the repository (`REGISTRY_DENIED`, `REGISTRY_UNAUTHORIZED`, …). One request. */
  async checkWritable(): Promise<void> {
    await this.#uploads(this.place).check()
  }

  /** True if the repository has the blob of the layer. */
  async has({ blob }: Layer): Promise<boolean> {
    return await this.#has(this.place, blob)
  }

  /**
   * Makes a layer of a plain tar and uploads it as it comes into being: hashed, compressed and sent in one pass, nothing kept but what is under way. One that is there already is
   * neither compressed nor sent. Throws a `Problem` (`LAYER_DIFFERS`).
   */
  async addLayer(open: () => AsyncIterable<Uint8Array>, expected?: Digest): Promise<Layer> {
    const there = expected && (await this.layerByDiffId(expected))
    if (there) return there
    const packing = packTarWhileSent(open, expected)
    await this.#uploads(this.place).put(packing)
    const { diffId, blob } = packing.result()
    this.#knownIn(this.place).add(blob.digest)
    await this.#options.memory.remember(diffId, { blob, origin: this.place })
    return this.#layer(diffId, blob)
  }

  /** Takes over a layer of another store, packed as it is there: mounted where it is in the same registry, sent otherwise, and neither if it is here. Throws a `Problem` (`BLOB_DAMAGED`). */
  async importLayer(layer: Layer): Promise<Layer> {
    await this.#ensure(layer, this.place)
    return this.#layer(layer.diffId, layer.blob)
  }

  /**
   * Writes an image under references of this registry, its own repository's if they name none. Layers that are not yet in a repository are brought there first, then the configuration, then the manifest, then the
   * tags: each whole or not at all. References that stand for this very image already cost one request. Throws a `Problem` (`REGISTRY_TAGS_PARTIAL` if only some could be written, …).
   */
  async write(image: Image, references: readonly string[]): Promise<StoredImage> {
    const documents = documentsOf(image)
    await this.#publish(image, documents, references)
    return { ...image, ...describedBy(documents) }
  }

  /** Writes an image with these very bytes, so that its digest stays. */
  async adopt(
    image: StoredImage,
    documents: ImageDocuments,
    references: readonly string[],
  ): Promise<StoredImage> {
    await this.#publish(image, documents, references)
    return image
  }

  /** The tags of the repository. */
  tags(): AsyncGenerator<string> {
    return listTags(this.#options.host(this.place.registry), this.place.repository)
  }

  /** Deletes what a reference names: with a digest an image and all its tags, else one tag. False if there is no such thing. Throws a `Problem` (`REGISTRY_CANNOT_DELETE`, …). */
  async remove(reference: string): Promise<boolean> {
    const wanted = parseReference(reference)
    return await deleteReference(this.#options.host(wanted.registry), wanted)
  }

  /** What refers to an image of the repository: signatures, bills of materials, attestations; of one artifact type or of any. */
  async referrers(subject: Digest, artifactType?: string): Promise<Referrer[]> {
    return await listReferrers(
      this.#options.host(this.place.registry),
      this.place.repository,
      subject,
      artifactType,
    )
  }

  /** Puts something there that refers to an image (image-spec manifest.md, "Guidelines for Artifact Usage"). */
  async attach({ subject, artifactType, blobs, annotations }: Attachment): Promise<Referrer> {
    const layers = blobs.map(({ mediaType, bytes }) => describeBytes(mediaType, bytes))
    const config = describeBytes(EMPTY.mediaType, EMPTY.bytes)
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI.manifest,
        artifactType,
        config,
        layers,
        subject,
        ...(annotations && { annotations }),
      }),
    )
    for (const [index, blob] of layers.entries())
      await this.#putBytes(blob, blobs[index]?.bytes as Buffer, this.place)
    await this.#putBytes(config, EMPTY.bytes, this.place)
    const descriptor = describeBytes(OCI.manifest, bytes)
    const referrer = { ...descriptor, artifactType, ...(annotations && { annotations }) }
    const host = this.#options.host(this.place.registry)
    await putReferrer(host, this.place.repository, subject.digest, { descriptor, bytes }, referrer)
    return referrer
  }

  /** Nothing is collected from a registry while it is used. */
  async lease(): Promise<AsyncDisposable> {
    return { [Symbol.asyncDispose]: async () => {} }
  }

  async #publish(
    image: Image,
    { manifest, config }: ImageDocuments,
    references: readonly string[],
  ): Promise<void> {
    if (manifest.length > LARGEST_MANIFEST)
      throw manifestTooLarge(references[0] ?? this.place.repository, manifest.length)
    const types = image.family === 'oci' ? OCI : DOCKER
    const document = { descriptor: describeBytes(types.manifest, manifest), bytes: manifest }
    const wanted = references.map(text => withTag(this.#parse(text)))
    const missing = await this.#missing(wanted.length > 0 ? wanted : [this.place], document)
    const repositories = new Map(
      missing.map(each => [each.repository, { registry: each.registry, repository: each.repository }]),
    )
    for (const repository of repositories.values()) {
      await inParallel(image.layers, AT_ONCE, layer => this.#ensure(layer, repository))
      await this.#putBytes(describeBytes(types.config, config), config, repository)
    }
    // With several names the manifest goes ahead under its digest: what a registry has against it is known before the first tag moves.
    const ahead = missing.length > 1 || (missing[0] && nameOf(missing[0]) === undefined)
    if (ahead)
      for (const repository of repositories.values())
        await this.#putManifest(repository, document.descriptor.digest, document)
    await this.#name(missing, document)
  }

  async #name(wanted: readonly Reference[], document: Document): Promise<void> {
    const written: string[] = []
    for (const [index, reference] of wanted.entries()) {
      const name = nameOf(reference)
      if (name === undefined || (isDigest(name) && wanted.length > 1)) continue
      try {
        await this.#putManifest(reference, name, document)
        written.push(printReference(reference))
      } catch (error) {
        if (written.length === 0 || !(error instanceof Problem)) throw error
        throw tagsPartial(written, wanted.slice(index).map(printReference), error)
      }
    }
  }

  /** The references that do not stand for the document yet. */
  async #missing(wanted: readonly Reference[], { descriptor }: Document): Promise<Reference[]> {
    const found = await inParallel(wanted, AT_ONCE, reference =>
      this.#manifests(reference).head(nameOf(reference) ?? descriptor.digest),
    )
    return wanted.filter((_, index) => found[index]?.digest !== descriptor.digest)
  }

  #parse(text: string): Reference {
    const reference = parseReference(text)
    if (reference.registry !== this.place.registry) throw otherRegistry(text, this.place.registry)
    return reference
  }

  #putManifest(repository: Repository, name: string, document: Document) {
    return this.#manifests(repository).put(name, document, [`repository:${repository.repository}:pull,push`])
  }

  async #putBytes(blob: Descriptor, bytes: Buffer, repository: Repository): Promise<void> {
    if (this.#knownIn(repository).has(blob.digest)) return
    const { digest, size } = blob
    const open = async function* () {
      yield bytes
    }
    await this.#uploads(repository).put({ open, known: { digest, size }, digest: () => digest })
    this.#knownIn(repository).add(digest)
  }

  /** Sees to it that a repository has a layer. */
  async #ensure(layer: Layer, repository: Repository): Promise<void> {
    if (await this.#bring(layer, repository)) return
    const { digest, size } = layer.blob
    const open = async function* () {
      yield* (await layer.compressed()) as AsyncIterable<Uint8Array>
    }
    await this.#uploads(repository).put({ open, known: { digest, size }, digest: () => digest })
    this.#knownIn(repository).add(digest)
  }

  /** True if the blob is in the repository, or could be brought there without being sent. `doubted` where its origin is only a memory. */
  async #bring(layer: Layer, repository: Repository, doubted = false): Promise<boolean> {
    const { blob, origin } = layer
    const known = this.#knownIn(repository)
    if (known.has(blob.digest)) return true
    const near = origin?.registry === repository.registry ? origin : undefined
    if (near?.repository === repository.repository && !doubted) {
      known.add(blob.digest)
      return true
    }
    const from =
      near && near.repository !== repository.repository
        ? near.repository
        : this.#elsewhere(blob.digest, repository)
    // A mount answers both questions at once; a registry that has the blob there says 201 too.
    if (from !== undefined && (await this.#mount(blob.digest, from, repository))) {
      known.add(blob.digest)
      return true
    }
    return await this.#has(repository, blob)
  }

  async #mount(digest: Digest, from: string, repository: Repository): Promise<boolean> {
    try {
      return await this.#uploads(repository).mount(digest, from)
    } catch (error) {
      // Whoever may not read there may still have the bytes.
      if (error instanceof Problem && /^REGISTRY_(?:UNAUTHORIZED|DENIED|REFUSED)$/.test(error.code))
        return false
      throw error
    }
  }

  #elsewhere(digest: Digest, { registry, repository }: Repository): string | undefined {
    for (const [key, digests] of this.#known) {
      const [host = '', ...rest] = key.split('/')
      if (host === registry && rest.join('/') !== repository && digests.has(digest)) return rest.join('/')
    }
    return undefined
  }

  async #has(repository: Repository, blob: Descriptor): Promise<boolean> {
    const known = this.#knownIn(repository)
    if (known.has(blob.digest)) return true
    const there = await hasBlob(this.#source(repository), blob)
    if (there) known.add(blob.digest)
    return there
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
    const config = parseConfig(
      await readBlob(this.#sources(wanted), manifest.config),
      `the configuration of ${place}`,
    )
    const diffIds = config.rootfs.diff_ids
    if (diffIds.length !== manifest.layers.length)
      throw confused(place, `it has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`)
    // What a mirror has says nothing about the registry itself.
    const atHome = readFrom.registry === wanted.registry
    const known = atHome ? this.#knownIn(wanted) : new Set<Digest>()
    for (const { digest } of [manifest.config, ...manifest.layers]) known.add(digest)
    return {
      family: manifest.family,
      config,
      layers: manifest.layers.map((blob, index) => {
        const { origin, ...layer } = this.#layer(diffIds[index] as Digest, blob, wanted)
        return atHome && origin ? { ...layer, origin } : layer
      }),
      ...(manifest.annotations && { annotations: manifest.annotations }),
      digest: descriptor.digest,
      manifestSize: bytes.length,
      configDigest: manifest.config.digest,
      configSize: manifest.config.size,
    }
  }

  #layer(diffId: Digest, blob: Descriptor, { registry, repository }: Repository = this.place): Layer {
    const origin = { registry, repository }
    return { ...packedLayer(diffId, blob, () => openBlob(this.#sources(origin), blob)), origin }
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

  #uploads(repository: Repository): Uploads {
    return new Uploads(this.#source(repository), this.#options.wait)
  }

  #knownIn({ registry, repository }: Repository): Set<Digest> {
    const key = `${registry}/${repository}`
    const known = this.#known.get(key) ?? new Set()
    this.#known.set(key, known)
    return known
  }
}

/** By what a registry knows a reference. */
function nameOf({ tag, digest }: Reference): string | undefined {
  return digest ?? tag
}

/** Does something for each of many, so many at once; the first failure is the whole's. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const work = async () => {
    for (let index = next++; index < items.length; index = next++)
      results[index] = await act(items[index] as Item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  return results
}
