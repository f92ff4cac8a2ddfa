import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Digest, digestOf, hexOf, packTar, syncDirectory, type TarEntry } from '#std'
import type { Image, Layer } from '../image.ts'
import { compressionOf } from '../media-types.ts'
import { blobDamaged, layerUnsupported } from '../problems.ts'

/** What a written archive is called by those who load it: the image ID, which is the digest of the configuration. */
export interface WrittenArchive {
  readonly imageId: Digest
}

/** Time of all entries, as of the files in layers. */
const MTIME = 315532801

/**
 * Writes one image, its configuration in these bytes, as `docker load` and `skopeo copy docker-archive:` read it: configuration, layers packed as they are, each once,
 * and `manifest.json`. Equal images and names give equal bytes. The file is there whole or not at all.
 */
export async function writeDockerArchive(
  image: Image,
  config: Buffer,
  file: string,
  names: readonly string[],
): Promise<WrittenArchive> {
  const imageId = digestOf(config)
  const entries = dockerArchive(image, config, names)
  await writeArchive(file, entries)
  return { imageId }
}

/** Writes an archive to a file that is there whole or not at all. */
export async function writeArchive(file: string, entries: Readable): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const staged = join(dirname(file), `.${randomBytes(8).toString('hex')}.tmp`)
  try {
    const handle = await open(staged, 'wx', 0o644)
    try {
      for await (const chunk of entries) await handle.writeFile(chunk as Uint8Array)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(staged, file)
    await syncDirectory(dirname(file))
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
}

/**
 * The archive as a stream, for a file or for a daemon. Layers of which `left` is true are named in it but not there: for a daemon that has
 * them already.
 */
export function dockerArchive(
  image: Image,
  config: Buffer,
  names: readonly string[],
  left: (layer: Layer, index: number) => boolean = () => false,
): Readable {
  return packTar(entriesOf(image, config, names, left))
}

function* entriesOf(
  image: Image,
  config: Buffer,
  names: readonly string[],
  left: (layer: Layer, index: number) => boolean,
): Generator<TarEntry> {
  const configName = `${hexOf(digestOf(config))}.json`
  yield fileEntry(configName, config.length, config)
  const written = new Set<string>()
  for (const [index, layer] of image.layers.entries()) {
    const path = pathOf(layer)
    if (written.has(path) || left(layer, index)) continue
    written.add(path)
    yield fileEntry(path, layer.blob.size, () => verified(layer))
  }
  const manifest = Buffer.from(
    JSON.stringify([
      { Config: configName, RepoTags: names.length === 0 ? null : names, Layers: image.layers.map(pathOf) },
    ]),
  )
  yield fileEntry('manifest.json', manifest.length, manifest)
}

function fileEntry(name: string, size: number, content: NonNullable<TarEntry['content']>): TarEntry {
  return { name, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: MTIME, size, content }
}

/** The packed bytes of a layer; ends in a `Problem` (`BLOB_DAMAGED`) if they are not those that its digest names. */
export async function* verified({ blob, compressed }: Layer): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of await compressed()) {
    hash.update(chunk)
    size += chunk.byteLength
    if (size > blob.size) throw blobDamaged(blob.digest)
    yield chunk
  }
  if (`sha256:${hash.digest('hex')}` !== blob.digest) throw blobDamaged(blob.digest)
}

function pathOf({ blob }: Layer): string {
  const compression = compressionOf(blob.mediaType)
  if (compression !== 'gzip' && compression !== 'none') throw layerUnsupported(blob.mediaType)
  return `${hexOf(blob.digest)}.tar${compression === 'gzip' ? '.gz' : ''}`
}
