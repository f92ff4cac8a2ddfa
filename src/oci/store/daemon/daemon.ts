import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type Digest,
  digestOf,
  isDigest,
  streamToNewFile,
  type TemporaryDirectory,
  temporaryDirectory,
} from '#std'
import { type ArchivedImage, readDockerArchive } from '../../docker-archive/read.ts'
import { dockerArchive } from '../../docker-archive/write.ts'
import type { Image, Layer, StoredImage } from '../../image.ts'
import { DOCKER } from '../../media-types.ts'
import { parseName } from '../../name.ts'
import { layerDiffers } from '../../problems.ts'
import type { ImageStore } from '../store.ts'
import { packedLayer } from '../stored-layer.ts'
import type { DaemonSurroundings } from './address.ts'
import type { ConnectSocket, DaemonConnection } from './connection.ts'
import { type DaemonImage, daemonImage } from './documents.ts'
import { checkLoaded, sharesLayers } from './engine.ts'
import { daemonImageDiffers, daemonLayerGone, daemonRefused } from './problems.ts'

/** What a daemon is opened with. */
export interface DaemonOptions extends DaemonSurroundings {
  /** A directory for what has to be kept meanwhile: layers that are asked of the daemon. */
  readonly staging: string
  readonly signal?: AbortSignal | undefined
  /** Opens the daemon's unix socket, for a process that has given up the right to do so. */
  readonly connect?: ConnectSocket | undefined
}

/** An image of a daemon: it is named by its ID. */
export interface DaemonStoredImage extends StoredImage {
  readonly imageId: Digest
}

/** A layer of an image of the daemon; what it weighs is known only when it was asked for. */
interface BorrowedLayer extends Layer {
  readonly image: Digest
}

function isBorrowed(layer: Layer): layer is BorrowedLayer {
  return 'image' in layer
}

const PLAIN = DOCKER.layer.replace('.gzip', '')

/**
 * The images of a Docker or Podman daemon, by its socket. A daemon knows layers by diffID and place alone, so a layer of ours is nothing but the promise
 * to make its tar again when the image is written: then everything that the daemon lacks goes over in one archive (`POST /images/load`). What it
 * has is not sent again, where it is known to be there; Podman, and Docker with containerd's store, want everything each time.
 */
export class DaemonStore implements ImageStore, AsyncDisposable {
  readonly #connection: DaemonConnection
  readonly #options: DaemonOptions
  /** Images that were asked for: what they have need not be sent. */
  readonly #known: DaemonImage[] = []
  readonly #saved = new Map<Digest, Promise<ArchivedImage>>()
  readonly #directories: TemporaryDirectory[] = []

  constructor(connection: DaemonConnection, options: DaemonOptions) {
    this.#connection = connection
    this.#options = options
  }

  async image(reference: string): Promise<DaemonStoredImage | undefined> {
    const found = await this.#find(reference)
    if (!found) return undefined
    this.#known.push(found)
    const { id, config, sizes } = found
    return {
      family: 'docker',
      config,
      layers: config.rootfs.diff_ids.map((diffId, index) => this.#layerOf(id, diffId, sizes[index] ?? 0)),
      digest: id,
      imageId: id,
      manifestSize: 0,
      configDigest: id,
      configSize: 0,
    }
  }

  async #find(reference: string): Promise<DaemonImage | undefined> {
    const name = pathOf(reference)
    const image = await this.#ask(`/images/${name}/json`, `ask for the image ${reference}`)
    if (image === undefined) return undefined
    const history = await this.#ask(`/images/${name}/history`, `ask for the history of ${reference}`)
    return daemonImage(image, history)
  }

  /** A layer of an image that was asked for before. */
  async layerByDiffId(diffId: Digest): Promise<Layer | undefined> {
    const found = this.#known.find(({ config }) => config.rootfs.diff_ids.includes(diffId))
    return found && this.#layerOf(found.id, diffId, 0)
  }

  /** A daemon that has the layers of another image below has no use for the layer alone; it is sent where it is needed. */
  async has(_layer: Layer): Promise<boolean> {
    return true
  }

  async addLayer(open: () => AsyncIterable<Uint8Array>, expected?: Digest): Promise<Layer> {
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of open()) {
      hash.update(chunk)
      size += chunk.byteLength
    }
    const diffId = `sha256:${hash.digest('hex')}` as Digest
    if (expected && diffId !== expected) throw layerDiffers(expected, diffId)
    return packedLayer(diffId, { mediaType: PLAIN, digest: diffId, size }, () => Readable.from(open()))
  }

  /** Nothing moves before the image is written; then the daemon checks each layer against its diffID. */
  async importLayer(layer: Layer): Promise<Layer> {
    return layer
  }

  write(image: Image, names: readonly string[]): Promise<DaemonStoredImage> {
    return this.load(image, Buffer.from(JSON.stringify(image.config)), names)
  }

  /** Writes an image with its configuration in these bytes, which decide its ID. */
  async load(image: Image, config: Buffer, names: readonly string[]): Promise<DaemonStoredImage> {
    const checked = names.map(parseName)
    const shares = await sharesLayers(this.#connection)
    const there = shares ? this.#commonLayers(image) : 0
    const attempt = async (first: number) => {
      const layers = await Promise.all(
        image.layers.map((layer, index) => (index < first ? layer : this.#sendable(layer))),
      )
      const archive = dockerArchive({ ...image, layers }, config, checked, (_, index) => index < first)
      await this.#post(archive, checked[0] ?? 'the image')
      return layers
    }
    // What was there a moment ago may have been removed since.
    const layers = there === 0 ? await attempt(0) : await attempt(there).catch(() => attempt(0))
    const imageId = digestOf(config)
    const found = await this.#find(checked[0] ?? imageId)
    if (!found || (shares && found.id !== imageId))
      throw daemonImageDiffers(checked[0] ?? imageId, imageId, found?.id ?? 'nothing')
    return {
      ...image,
      layers,
      digest: found.id,
      imageId: found.id,
      manifestSize: 0,
      configDigest: imageId,
      configSize: config.length,
    }
  }

  /** The image as an archive in a file: configuration and all layers in the daemon's own bytes. Undefined if there is none. */
  async save(reference: string): Promise<ArchivedImage | undefined> {
    const answer = await this.#connection.stream({
      method: 'GET',
      path: `/images/${pathOf(reference)}/get`,
      doing: `get the image ${reference}`,
      signal: this.#options.signal,
    })
    if (!answer) return undefined
    const directory = await temporaryDirectory(this.#options.staging, 'daemon-')
    this.#directories.push(directory)
    const file = join(directory.path, 'image.tar')
    await pipeline(answer, await streamToNewFile(file, 0o600))
    return await readDockerArchive(file, undefined, directory.path)
  }

  /** A daemon keeps what its images need. */
  async lease(): Promise<AsyncDisposable> {
    return { async [Symbol.asyncDispose]() {} }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const directory of this.#directories) await directory[Symbol.asyncDispose]()
  }

  #layerOf(image: Digest, diffId: Digest, size: number): BorrowedLayer {
    const open = async (how: 'compressed' | 'uncompressed') => (await this.#fetched(image, diffId))[how]()
    return {
      image,
      diffId,
      blob: { mediaType: PLAIN, digest: diffId, size },
      compressed: () => open('compressed'),
      uncompressed: () => open('uncompressed'),
    }
  }

  async #fetched(id: Digest, diffId: Digest): Promise<Layer> {
    const saving =
      this.#saved.get(id) ??
      this.save(id).then(archive => {
        if (!archive) throw daemonLayerGone(diffId)
        return archive
      })
    this.#saved.set(id, saving)
    const layer = (await saving).image.layers.find(each => each.diffId === diffId)
    if (!layer) throw daemonLayerGone(diffId)
    return layer
  }

  /** A layer of the daemon's is only now asked of it, since its size has to be known before it is sent. */
  async #sendable(layer: Layer): Promise<Layer> {
    return isBorrowed(layer) ? await this.#fetched(layer.image, layer.diffId) : layer
  }

  /** How many of the lowest layers an image that is there has too. */
  #commonLayers({ config }: Image): number {
    const wanted = config.rootfs.diff_ids
    const shared = this.#known.map(({ config: { rootfs } }) => {
      const end = wanted.findIndex((diffId, index) => rootfs.diff_ids[index] !== diffId)
      return end < 0 ? wanted.length : end
    })
    return Math.max(0, ...shared)
  }

  #ask(path: string, doing: string): Promise<unknown> {
    return this.#connection.json({ method: 'GET', path, doing, signal: this.#options.signal })
  }

  async #post(archive: Readable, name: string): Promise<void> {
    const doing = `put ${name} into the container daemon`
    const answer = await this.#connection.stream({
      method: 'POST',
      path: '/images/load?quiet=1',
      doing,
      body: archive,
      signal: this.#options.signal,
    })
    if (!answer) throw daemonRefused(doing, 404, 'it cannot load images')
    await checkLoaded(answer, doing)
  }
}

/** Names go into the path as they are, but for what a path cannot hold. */
function pathOf(reference: string): string {
  const name = isDigest(reference) ? reference : reference.includes('@') ? reference : parseName(reference)
  return encodeURI(name).replaceAll('?', '%3F').replaceAll('#', '%23')
}
