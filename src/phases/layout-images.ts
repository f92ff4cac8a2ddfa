import { constants } from 'node:fs'
import { copyFile, link, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  compressionOf,
  type Descriptor,
  DOCKER,
  describeBytes,
  type Image,
  type ImageStore,
  type Layer,
  OCI,
  openExchange,
  parseReference,
  printManifest,
  REF_NAME,
  type StoredImage,
} from '#oci'
import { type Digest, isDigest, isSystemError, removeTree, writeDurably } from '#std'
import { layoutReferenceInvalid } from './problems.ts'

/**
 * Images on disk as the platform specification has them ("OCI layout"): each in a layout of its own, `<directory>/<registry>/<repository>/<tag>`, or
 * `…/sha256/<hex>` for a digest. Base layers that are not on disk may be missing: such an image is written without them (a sparse image).
 */
export class LayoutImages implements ImageStore {
  readonly #directory: string
  readonly #target: string
  /** Layers of the images that were opened, and where their blobs are. */
  readonly #opened = new Map<Digest, { readonly layer: Layer; readonly path: string }>()

  /** `name` is the image that will be written first: its layers are put where it will be. */
  constructor(directory: string, name: string) {
    this.#directory = directory
    this.#target = this.pathOf(name)
  }

  /** Where the layout of an image is. Throws a `Problem` (`REFERENCE_INVALID`, exit code 3). */
  pathOf(name: string): string {
    const { registry, repository, tag = 'latest', digest } = parseReference(name)
    return join(this.#directory, registry, repository, digest === undefined ? tag : digest.replace(':', '/'))
  }

  /** The image of a name, or of an absolute `PATH@DIGEST`, as analyzed.toml has it. */
  async image(reference: string): Promise<StoredImage | undefined> {
    const [path, digest] = reference.startsWith('/')
      ? partsOf(reference)
      : [this.pathOf(reference), undefined]
    const layout = openExchange(path)
    const found = (await layout.descriptors()).find(
      each => isManifest(each) && (digest === undefined || each.digest === digest),
    )
    const image = found && (await layout.image(found.digest))
    for (const layer of image?.layers ?? [])
      if (await layout.has(layer)) this.#opened.set(layer.diffId, { layer, path })
    return image
  }

  /** How exactly an image can be named: `PATH@DIGEST`. */
  identify(name: string, { digest }: StoredImage): string {
    return `${name.startsWith('/') ? partsOf(name)[0] : this.pathOf(name)}@${digest}`
  }

  async layerByDiffId(diffId: Digest): Promise<Layer | undefined> {
    return this.#opened.get(diffId)?.layer ?? openExchange(this.#target).layerByDiffId(diffId)
  }

  async has({ diffId }: Layer): Promise<boolean> {
    return this.#opened.has(diffId)
  }

  async addLayer(open: () => AsyncIterable<Uint8Array>, expected?: Digest): Promise<Layer> {
    const layer = await openExchange(this.#target).addLayer(open, expected)
    this.#opened.set(layer.diffId, { layer, path: this.#target })
    return layer
  }

  async importLayer(layer: Layer): Promise<Layer> {
    return openExchange(this.#target).importLayer(layer)
  }

  /** Writes the image to a layout for each name; one that was there before is replaced. */
  async write(image: Image, names: readonly string[]): Promise<StoredImage> {
    const types = image.family === 'oci' ? OCI : DOCKER
    let written: StoredImage | undefined
    for (const name of names) {
      const path = this.pathOf(name)
      const tag = identifierOf(name)
      const { blobs } = openExchange(path)
      for (const layer of image.layers) await this.#bring(layer, path)
      const configBytes = Buffer.from(JSON.stringify(image.config))
      const config = describeBytes(types.config, configBytes)
      const annotations = { ...image.annotations, [REF_NAME]: tag }
      const layers = image.layers.map(({ blob }) => ({ ...blob, mediaType: layerType(blob, types.layer) }))
      const manifest = printManifest({ family: image.family, config, layers, annotations })
      await blobs.add(configBytes)
      await blobs.add(manifest)
      const descriptor = { ...describeBytes(types.manifest, manifest), annotations: { [REF_NAME]: tag } }
      const index = { schemaVersion: 2, mediaType: OCI.index, manifests: [descriptor] }
      await writeDurably(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
      await writeDurably(join(path, 'index.json'), JSON.stringify(index))
      await removeTree(join(path, '.slipway'))
      const { digest } = descriptor
      written ??= {
        ...{ ...image, annotations, digest, manifestSize: manifest.length },
        ...{ configDigest: config.digest, configSize: config.size },
      }
    }
    if (!written) throw new Error('an image was to be written under no name')
    return written
  }

  async lease(): Promise<AsyncDisposable> {
    return { [Symbol.asyncDispose]: async () => {} }
  }

  /** A blob is never changed, so two layouts on one file system can share it. */
  async #bring({ diffId, blob }: Layer, path: string): Promise<void> {
    const found = this.#opened.get(diffId)
    if (!found || found.path === path) return
    const from = openExchange(found.path).blobs.path(blob.digest)
    const to = openExchange(path).blobs.path(blob.digest)
    await mkdir(join(to, '..'), { recursive: true })
    try {
      await link(from, to)
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return
      await copyFile(from, to, constants.COPYFILE_FICLONE)
    }
  }
}

function partsOf(reference: string): [path: string, digest: Digest] {
  const at = reference.lastIndexOf('@')
  const digest = reference.slice(at + 1)
  if (at < 0 || !isDigest(digest)) throw layoutReferenceInvalid(reference)
  return [reference.slice(0, at), digest]
}

/** What a reference says of the image within its repository, as an annotation has it. */
function identifierOf(name: string): string {
  const { tag = 'latest', digest } = parseReference(name)
  return digest ?? tag
}

function isManifest({ mediaType }: Descriptor): boolean {
  return mediaType === OCI.manifest || mediaType === DOCKER.manifest
}

function layerType({ mediaType }: Descriptor, gzip: string): string {
  return compressionOf(mediaType) === 'gzip' ? gzip : mediaType
}
