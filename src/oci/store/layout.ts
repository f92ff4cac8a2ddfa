import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import * as v from 'valibot'
import { check, type Digest, Digesting, hexOf, isDigest, isAlive, lockFile, parseJson, readIfExists, writeDurably } from '#std'
import { type ImageConfig, parseConfig } from '../config.ts'
import { type Descriptor, describeBytes, descriptorSchema, tidy } from '../descriptor.ts'
import type { Image, Layer, StoredImage } from '../image.ts'
import { parseManifest, printManifest } from '../manifest.ts'
import { compressionOf, DOCKER, OCI } from '../media-types.ts'
import { parseName } from '../name.ts'
import { blobMissing, layerUnsupported, layoutUnusable } from '../problems.ts'
import { Blobs } from './blobs.ts'
import { gzip } from './gzip.ts'
import { type Lease, liveLeases, takeLease } from './lease.ts'

/** The annotation that names an image in a layout (image-spec annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name'

/** An image in a listing. */
export interface Listed {
  readonly name: string
  readonly descriptor: Descriptor
}

/** What a collection of garbage did. */
export interface Collected {
  readonly blobs: number
  readonly bytes: number
  /** Builds that were under way, because of which nothing was deleted. */
  readonly running: number
}

const indexSchema = v.looseObject({
  schemaVersion: v.literal(2),
  manifests: v.array(descriptorSchema),
})

/**
 * A store of images: a plain OCI image layout on disk (image-spec image-layout.md) that other tools read, safe for many
 * processes at once. `.slipway/` in it holds what is ours: which blob has which diffID, leases, and what is being written.
 */
export class LayoutStore {
  readonly root: string
  readonly blobs: Blobs

  constructor(root: string) {
    this.root = root
    this.blobs = new Blobs(root)
  }

  /** The descriptor of the image of this name. */
  async resolve(name: string): Promise<Descriptor | undefined> {
    const wanted = parseName(name)
    return (await this.#index()).find(each => each.annotations?.[REF_NAME] === wanted)
  }

  /** Every name, sorted, with what it stands for. */
  async list(): Promise<Listed[]> {
    const named = (await this.#index()).flatMap(descriptor => {
      const name = descriptor.annotations?.[REF_NAME]
      return name === undefined ? [] : [{ name, descriptor }]
    })
    return named.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** An image by name or by manifest digest. Throws a `Problem` if what is stored is damaged. */
  async image(nameOrDigest: string): Promise<StoredImage | undefined> {
    const digest = isDigest(nameOrDigest) ? nameOrDigest : (await this.resolve(nameOrDigest))?.digest
    if (digest === undefined || (await this.blobs.size(digest)) === undefined) return undefined
    const bytes = await this.blobs.read(digest)
    const manifest = parseManifest(bytes, `the manifest ${digest}`)
    if ((await this.blobs.size(manifest.config.digest)) === undefined) throw blobMissing(manifest.config.digest, nameOrDigest)
    const config = parseConfig(await this.blobs.read(manifest.config.digest), `the configuration of ${nameOrDigest}`)
    const diffIds = config.rootfs.diff_ids
    if (diffIds.length !== manifest.layers.length) {
      throw layoutUnusable(nameOrDigest, `it has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`)
    }
    return {
      family: manifest.family,
      config,
      layers: manifest.layers.map((blob, index) => this.#layer(diffIds[index] as Digest, blob)),
      ...(manifest.annotations && { annotations: manifest.annotations }),
      digest,
      manifestSize: bytes.length,
      configDigest: manifest.config.digest,
    }
  }

  /** The layer whose plain tar has this digest, if its blob is here: then it need not be made again. */
  async layerByDiffId(diffId: Digest): Promise<Layer | undefined> {
    const text = await readIfExists(this.#diffIdFile(diffId))
    if (text === undefined) return undefined
    const blob = tidy(check(descriptorSchema, parseJson(text, `the entry of ${diffId}`), `the entry of ${diffId}`))
    return (await this.blobs.size(blob.digest)) === blob.size ? this.#layer(diffId, blob) : undefined
  }

  /** Keeps a layer given as a plain tar: hashed, compressed and written in one pass. */
  async addLayer(tar: AsyncIterable<Uint8Array>): Promise<Layer> {
    const plain = new Digesting()
    const hashed = pipeline(tar, plain, () => {}) as unknown as Digesting
    const { digest, size } = await this.blobs.stream(gzip(hashed))
    return this.#remember(plain.digest(), { mediaType: OCI.layer, digest, size })
  }

  /** Takes over a layer of another store, packed as it is there, after checking both of its digests. */
  async importLayer(layer: Layer): Promise<Layer> {
    const known = await this.layerByDiffId(layer.diffId)
    if (known?.blob.digest === layer.blob.digest) return known
    await this.blobs.stream(await layer.compressed(), { digest: layer.blob.digest, size: layer.blob.size })
    const plain = new Digesting()
    const own = this.#layer(layer.diffId, layer.blob)
    for await (const _ of pipeline(await own.uncompressed(), plain, () => {}) as unknown as Digesting) {
      // Only the digest of the plain tar is of interest.
    }
    if (plain.digest() !== layer.diffId) {
      await rm(this.blobs.path(layer.blob.digest), { force: true })
      throw layoutUnusable(layer.blob.digest, `its plain tar is ${plain.digest()}, not ${layer.diffId}`)
    }
    return this.#remember(layer.diffId, layer.blob)
  }

  /** Writes an image whose layers are all here, and gives it names. Until this returns nobody sees any of it. */
  async write(image: Image, names: readonly string[]): Promise<StoredImage> {
    const checked = names.map(parseName)
    const types = image.family === 'oci' ? OCI : DOCKER
    const configBytes = Buffer.from(JSON.stringify(image.config))
    const layers = image.layers.map(layer => ({ ...layer.blob, mediaType: layerType(layer.blob.mediaType, image.family) }))
    for (const { digest } of layers) {
      if ((await this.blobs.size(digest)) === undefined) throw blobMissing(digest, names[0] ?? 'the image')
    }
    const config = describeBytes(types.config, configBytes)
    const manifest = printManifest({ family: image.family, config, layers, ...(image.annotations && { annotations: image.annotations }) })
    await this.blobs.add(configBytes)
    await this.blobs.add(manifest)
    const descriptor = describeBytes(types.manifest, manifest)
    await this.#name(checked, { ...descriptor, platform: platformOf(image.config) })
    return { ...image, digest: descriptor.digest, manifestSize: manifest.length, configDigest: config.digest }
  }

  /** Gives the image of one name another name too. False if there is no such image. */
  async tag(from: string, to: string): Promise<boolean> {
    const name = parseName(to)
    const descriptor = await this.resolve(from)
    if (!descriptor) return false
    const { annotations: _, ...rest } = descriptor
    await this.#name([name], rest)
    return true
  }

  /** Takes names away; returns those that were there. Contents go with the next `gc`. */
  async remove(names: readonly string[]): Promise<string[]> {
    const wanted = new Set(names.map(parseName))
    const removed: string[] = []
    await this.#change(manifests =>
      manifests.filter(each => {
        const name = each.annotations?.[REF_NAME]
        if (name === undefined || !wanted.has(name)) return true
        removed.push(name)
        return false
      }),
    )
    return removed
  }

  /** Protects everything in the store, and all that is about to be written, from `gc` until disposed. */
  async lease(): Promise<Lease> {
    await this.#prepare()
    await using _ = await lockFile(this.#lockPath())
    return takeLease(join(this.root, '.slipway/leases'))
  }

  /** Deletes what no named image needs. While a build runs nothing is deleted, so it can never miss what it relied on. */
  async gc(): Promise<Collected> {
    await this.#prepare()
    await using _ = await lockFile(this.#lockPath())
    await this.#sweepStaging()
    const running = await liveLeases(join(this.root, '.slipway/leases'))
    if (running > 0) return { blobs: 0, bytes: 0, running }
    const needed = await this.#reachable()
    let blobs = 0
    let bytes = 0
    for (const name of await readdir(join(this.root, 'blobs/sha256'))) {
      const digest = `sha256:${name}`
      if (!isDigest(digest) || needed.has(digest)) continue
      bytes += (await this.blobs.size(digest)) ?? 0
      blobs += 1
      await rm(this.blobs.path(digest), { force: true })
    }
    await this.#sweepDiffIds(needed)
    return { blobs, bytes, running: 0 }
  }

  async #reachable(): Promise<Set<Digest>> {
    const needed = new Set<Digest>()
    for (const { digest } of await this.#index()) {
      needed.add(digest)
      if ((await this.blobs.size(digest)) === undefined) continue
      const manifest = parseManifest(await this.blobs.read(digest), `the manifest ${digest}`)
      for (const each of [manifest.config, ...manifest.layers]) needed.add(each.digest)
    }
    return needed
  }

  async #sweepDiffIds(needed: ReadonlySet<Digest>): Promise<void> {
    const directory = join(this.root, '.slipway/diff-ids')
    for (const name of await readdir(directory).catch(() => [])) {
      const text = await readIfExists(join(directory, name))
      const digest = /"digest":"(sha256:[0-9a-f]{64})"/.exec(text ?? '')?.[1]
      if (digest === undefined || !needed.has(digest as Digest)) await rm(join(directory, name), { force: true })
    }
  }

  async #sweepStaging(): Promise<void> {
    const directory = join(this.root, '.slipway/staging')
    for (const name of await readdir(directory).catch(() => [])) {
      const [pid, start] = name.split('-')
      if (!(await isAlive(`${pid} ${start}`))) await rm(join(directory, name), { force: true })
    }
  }

  #layer(diffId: Digest, blob: Descriptor): Layer {
    const compression = compressionOf(blob.mediaType)
    return {
      diffId,
      blob,
      compressed: async () => this.blobs.open(blob.digest),
      uncompressed: async (): Promise<Readable> => {
        if (compression === 'none') return this.blobs.open(blob.digest)
        if (compression !== 'gzip') throw layerUnsupported(blob.mediaType)
        return pipeline(this.blobs.open(blob.digest), createGunzip({ chunkSize: 1 << 17 }), new PassThrough(), () => {})
      },
    }
  }

  async #remember(diffId: Digest, blob: Descriptor): Promise<Layer> {
    await writeDurably(this.#diffIdFile(diffId), JSON.stringify(blob))
    return this.#layer(diffId, blob)
  }

  #diffIdFile(diffId: Digest): string {
    return join(this.root, '.slipway/diff-ids', hexOf(diffId))
  }

  #lockPath(): string {
    return join(this.root, '.slipway/lock')
  }

  async #name(names: readonly string[], descriptor: Descriptor): Promise<void> {
    if (names.length === 0) return
    const taken = new Set(names)
    await this.#change(manifests => [
      ...manifests.filter(each => !taken.has(each.annotations?.[REF_NAME] ?? '')),
      ...names.map(name => ({ ...descriptor, annotations: { [REF_NAME]: name } })),
    ])
  }

  /** Changes `index.json` under the lock that all processes share; skips the write where nothing changes. */
  async #change(change: (manifests: Descriptor[]) => Descriptor[]): Promise<void> {
    await this.#prepare()
    await using _ = await lockFile(this.#lockPath())
    const before = await this.#index()
    const after = change(before).sort((a, b) => ((a.annotations?.[REF_NAME] ?? '') < (b.annotations?.[REF_NAME] ?? '') ? -1 : 1))
    const text = `${JSON.stringify({ schemaVersion: 2, mediaType: OCI.index, manifests: after })}\n`
    if (text === (await readIfExists(join(this.root, 'index.json')))) return
    await writeDurably(join(this.root, 'index.json'), text)
  }

  async #index(): Promise<Descriptor[]> {
    const path = join(this.root, 'index.json')
    const text = await readIfExists(path)
    if (text === undefined) return []
    return check(indexSchema, parseJson(text, path), path).manifests.map(tidy)
  }

  async #prepare(): Promise<void> {
    const path = join(this.root, 'oci-layout')
    const text = await readIfExists(path)
    if (text !== undefined) {
      const value = parseJson(text, path) as { imageLayoutVersion?: unknown }
      if (value?.imageLayoutVersion !== '1.0.0') throw layoutUnusable(this.root, 'its oci-layout file does not say version 1.0.0')
      return
    }
    await mkdir(join(this.root, 'blobs/sha256'), { recursive: true })
    await mkdir(join(this.root, '.slipway'), { recursive: true })
    await writeFile(join(this.root, '.slipway/README'), 'What slipway keeps beside the images: leases, diffIDs of blobs, and files being written.\n')
    await writeDurably(path, '{"imageLayoutVersion":"1.0.0"}')
  }
}

function layerType(mediaType: string, family: Image['family']): string {
  return compressionOf(mediaType) === 'gzip' ? (family === 'oci' ? OCI.layer : DOCKER.layer) : mediaType
}

function platformOf({ architecture, os, variant }: ImageConfig): Record<string, unknown> {
  return { architecture, os, ...(variant !== undefined && { variant }) }
}

/** Opens the store in a directory, which is made when something is first written. */
export function openLayout(root: string): LayoutStore {
  return new LayoutStore(root)
}

