import type { Digest } from '#std'
import { type Descriptor, describeBytes } from '../../descriptor.ts'
import type { Image, Layer, StoredImage } from '../../image.ts'
import { OCI } from '../../media-types.ts'
import { parseReference, type Reference, type Repository, withTag } from '../../reference.ts'
import { describedBy, documentsOf, type ImageDocuments, indexDocument } from '../image-documents.ts'
import type { ImageStore } from '../store.ts'
import type { DocumentMemory } from './document-memory.ts'
import type { RegistryHost } from './host.ts'
import { ImageReader } from './image-reader.ts'
import type { LayerMemory } from './layer-memory.ts'
import { deleteReference, listTags } from './listing.ts'
import { Manifests } from './manifests.ts'
import { packTarWhileSent, smallOrStreamed } from './packing.ts'
import type { Platform } from './platform.ts'
import { Presence } from './presence.ts'
import { otherRegistry } from './problems.ts'
import { publish } from './publish.ts'
import { EMPTY, listReferrers, putReferrer, type Referrer } from './referrers.ts'
import type { Mirror } from './settings.ts'
import type { Session, Wait } from './upload.ts'

/** What a store of one repository is made of. */
export interface RegistryStoreOptions {
  readonly place: Repository
  readonly host: (registry: string) => RegistryHost
  readonly memory: LayerMemory
  readonly documents: DocumentMemory
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
  readonly #presence: Presence
  readonly #reader: ImageReader
  /** Layers of earlier images of the same app, which a build may take again. */
  readonly #reusable = new Map<Digest, Layer>()
  /** An upload that was begun to see if one may. */
  #begun: Session | undefined

  constructor(options: RegistryStoreOptions) {
    this.#options = options
    this.place = options.place
    this.#presence = new Presence(
      ({ registry, repository }) => ({ host: options.host(registry), repository }),
      options.wait,
    )
    this.#reader = new ImageReader({ ...options, presence: this.#presence })
  }

  /**
   * The image of a reference; of an index the one for the platform. Undefined if there is none. Reads manifests and the configuration, no layer.
   * Throws a `Problem` (`REGISTRY_UNAUTHORIZED`, `REGISTRY_DENIED`, `PLATFORM_MISSING`, `REGISTRY_CONTENT_DIFFERS`, …).
   */
  image(reference: string): Promise<StoredImage | undefined> {
    return this.#reader.image(reference)
  }

  /** What a reference stands for, an index being one answer; undefined if it stands for nothing. One request, which reads nothing. */
  resolve(reference: string): Promise<Descriptor | undefined> {
    return this.#reader.resolve(reference)
  }

  /** The bytes of an image's manifest and configuration, as they are in the registry. */
  documents(reference: string, image: StoredImage): Promise<ImageDocuments> {
    return this.#reader.documents(reference, image)
  }

  /** Lets layers of an earlier image of the same app be taken for those that a build would make, by their diffIDs. */
  reuse(image: Image): void {
    for (const layer of image.layers) this.#reusable.set(layer.diffId, layer)
  }

  /** The layer of this diffID that was made here before, or is one of those to `reuse`; if the registry has its blob still, be it in another repository. */
  async layerByDiffId(diffId: Digest): Promise<Layer | undefined> {
    const reusable = this.#reusable.get(diffId)
    if (reusable)
      return (await this.#presence.bring(reusable, this.place))
        ? this.#reader.layer(diffId, reusable.blob, this.place)
        : undefined
    const remembered = await this.#options.memory.recall(diffId)
    if (remembered?.origin.registry !== this.place.registry) return undefined
    const layer = this.#reader.layer(diffId, remembered.blob, remembered.origin)
    return (await this.#presence.bring(layer, this.place, true))
      ? this.#reader.layer(diffId, remembered.blob, this.place)
      : undefined
  }

  /** Throws a `Problem` if this user may not write to the repository (`REGISTRY_DENIED`, `REGISTRY_UNAUTHORIZED`, …). One request. */
  async checkWritable(): Promise<void> {
    this.#begun = await this.#presence.uploads(this.place).check()
  }

  /** True if the repository has the blob of the layer. */
  async has({ blob }: Layer): Promise<boolean> {
    return await this.#presence.has(this.place, blob)
  }

  /**
   * Makes a layer of a plain tar and uploads it as it comes into being: hashed, compressed and sent in one pass, nothing kept but what is under way. One that is there already is
   * neither compressed nor sent. Throws a `Problem` (`LAYER_DIFFERS`).
   */
  async addLayer(open: () => AsyncIterable<Uint8Array>, expected?: Digest): Promise<Layer> {
    const there = expected && (await this.layerByDiffId(expected))
    if (there) return there
    const packing = packTarWhileSent(open, expected)
    const begun = this.#begun
    this.#begun = undefined
    await using packed = await smallOrStreamed(packing)
    await this.#presence.uploads(this.place).put(packed, begun)
    const { diffId, blob } = packing.result()
    this.#presence.knownIn(this.place).add(blob.digest)
    await this.#options.memory.remember(diffId, { blob, origin: this.place })
    return this.#reader.layer(diffId, blob, this.place)
  }

  /** Takes over a layer of another store, packed as it is there: mounted where it is in the same registry, sent otherwise, and neither if it is here. Throws a `Problem` (`BLOB_DAMAGED`). */
  async importLayer(layer: Layer): Promise<Layer> {
    await this.#presence.ensure(layer, this.place)
    return this.#reader.layer(layer.diffId, layer.blob, this.place)
  }

  /**
   * Writes an image under references of this registry, its own repository's if they name none. Layers that are not yet in a repository and the configuration are brought there first, then the manifest, then the
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

  /**
   * Writes an index of images that are in the repository already, one for each platform (image-spec image-index.md), under a reference of it. Equal images in
   * equal order give equal bytes.
   */
  async writeIndex(images: readonly StoredImage[], reference: string): Promise<Descriptor> {
    const document = indexDocument(images)
    const wanted = withTag(this.#parse(reference))
    const manifests = new Manifests(this.#options.host(wanted.registry), wanted.repository)
    await manifests.put(wanted.tag ?? document.descriptor.digest, document, [
      `repository:${wanted.repository}:pull,push`,
    ])
    return document.descriptor
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
      await this.#presence.putBytes(blob, blobs[index]?.bytes as Buffer, this.place)
    await this.#presence.putBytes(config, EMPTY.bytes, this.place)
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

  async #publish(image: Image, documents: ImageDocuments, references: readonly string[]): Promise<void> {
    const { digest } = describedBy(documents)
    const wanted = references.map(text => withTag(this.#parse(text)))
    const ground = {
      presence: this.#presence,
      manifests: ({ registry, repository }: Repository) =>
        new Manifests(this.#options.host(registry), repository),
      seen: (reference: Reference) => this.#reader.seen(reference),
    }
    await publish(ground, image, documents, wanted.length > 0 ? wanted : [{ ...this.place, digest }])
  }

  #parse(text: string): Reference {
    const reference = parseReference(text)
    if (reference.registry !== this.place.registry) throw otherRegistry(text, this.place.registry)
    return reference
  }
}
