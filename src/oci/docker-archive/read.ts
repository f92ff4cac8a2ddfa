import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import * as v from 'valibot'
import {
  check,
  type Digest,
  isSystemError,
  parseJson,
  readAll,
  streamToNewFile,
  type TemporaryDirectory,
  temporaryDirectory,
} from '#std'
import { parseConfig } from '../config.ts'
import type { Image, Layer } from '../image.ts'
import { DOCKER } from '../media-types.ts'
import { parseName, shortName } from '../name.ts'
import { archiveUnusable, notInLayout } from '../problems.ts'
import { packedLayer } from '../store/stored-layer.ts'
import { type ArchiveFile, type Entries, isPacked, readEntries } from './entries.ts'

/** An image in an archive; disposal forgets what had to be unpacked. */
export interface ArchivedImage extends AsyncDisposable {
  readonly image: Image
  /** The configuration as it is written. */
  readonly config: Buffer
  /** Its first name, if it has any. */
  readonly name: string | undefined
}

const SMALL = 4 * 2 ** 20
const listing = v.pipe(
  v.array(
    v.looseObject({
      Config: v.pipe(v.string(), v.maxLength(500)),
      RepoTags: v.nullish(v.array(v.pipe(v.string(), v.maxLength(500)))),
      Layers: v.nullish(v.pipe(v.array(v.pipe(v.string(), v.maxLength(500))), v.maxLength(10_000))),
    }),
  ),
  v.minLength(1, 'has no images'),
  v.maxLength(10_000),
)
type Listed = v.InferOutput<typeof listing>[number]

/**
 * Opens an image of an archive as `docker save` writes it (moby image/spec/v1.2: `manifest.json`, configurations, layer tars; gzip
 * anywhere), its entries in any order. Every layer must unpack to the digest that the configuration names: plain ones are compared
 * here, packed ones as they are imported. Nothing is unpacked to a place that the archive names; an archive that is packed as a whole
 * is unpacked to a file in `staging`. Throws a `Problem` (`ARCHIVE_UNUSABLE`, `NOT_IN_LAYOUT`, `DOCUMENT_INVALID`, `JSON_MALFORMED`).
 */
export async function readDockerArchive(
  file: string,
  name: string | undefined,
  staging: string,
): Promise<ArchivedImage> {
  const plain = (await isPacked(file)) ? await unpackWhole(file, staging) : undefined
  try {
    const entries = await readEntries(plain ? join(plain.path, 'archive.tar') : file)
    const manifest = new TextDecoder().decode(await readSmall(entries, 'manifest.json', file))
    const images = check(listing, parseJson(manifest, `manifest.json in ${file}`), `manifest.json in ${file}`)
    const found = choose(images, name, file)
    return {
      ...(await imageOf(found, entries, file)),
      name: found.RepoTags?.[0],
      [Symbol.asyncDispose]: async () => plain?.[Symbol.asyncDispose](),
    }
  } catch (error) {
    await plain?.[Symbol.asyncDispose]()
    throw error
  }
}

export async function unpackWhole(file: string, staging: string): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory(staging, 'docker-archive-')
  try {
    await pipeline(
      createReadStream(file),
      createGunzip(),
      await streamToNewFile(join(directory.path, 'archive.tar')),
    )
    return directory
  } catch (error) {
    await directory[Symbol.asyncDispose]()
    if (isSystemError(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR'))
      throw archiveUnusable(file, 'its gzip stream is damaged', error)
    throw error
  }
}

function choose(images: readonly Listed[], name: string | undefined, file: string): Listed {
  const names = images.flatMap(each => each.RepoTags ?? [])
  if (name === undefined) {
    if (images.length === 1) return images[0] as Listed
    throw notInLayout(`docker-archive:${file}`, names)
  }
  const wanted = parseName(name)
  const found = images.find(each =>
    each.RepoTags?.some(tag => tag === wanted || withoutHub(tag) === withoutHub(wanted)),
  )
  if (found) return found
  throw notInLayout(`docker-archive:${file}:${name}`, names)
}

/** Docker leaves its own registry out of names; other tools write it in full. */
function withoutHub(name: string): string {
  return shortName(name.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, ''))
}

async function imageOf(
  { Config, Layers }: Listed,
  entries: Entries,
  file: string,
): Promise<{ image: Image; config: Buffer }> {
  const bytes = await readSmall(entries, Config, file)
  const config = parseConfig(bytes, `the configuration in ${file}`)
  const diffIds = config.rootfs.diff_ids
  const paths = Layers ?? []
  if (paths.length !== diffIds.length)
    throw archiveUnusable(file, `it has ${paths.length} layers and ${diffIds.length} diffIDs`)
  const layers = paths.map((path, index) => {
    const found = entries.file(path)
    if (!found) throw archiveUnusable(file, `the layer ${JSON.stringify(path)} is not in it`)
    return layerOf(diffIds[index] as Digest, found, entries, file)
  })
  return { image: { family: 'docker', config, layers }, config: bytes }
}

function layerOf(diffId: Digest, found: ArchiveFile, entries: Entries, file: string): Layer {
  const { digest, size } = found
  if (!found.gzip && digest !== diffId)
    throw archiveUnusable(file, `a layer in it is ${digest}, not ${diffId}`)
  const mediaType = found.gzip ? DOCKER.layer : DOCKER.layer.replace('.gzip', '')
  return packedLayer(diffId, { mediaType, digest, size }, () => entries.open(found))
}

export async function readSmall(entries: Entries, name: string, file: string): Promise<Buffer> {
  const found = entries.file(name)
  if (!found) throw archiveUnusable(file, `there is no ${JSON.stringify(name)} in it`)
  if (found.size > SMALL)
    throw archiveUnusable(file, `${JSON.stringify(name)} in it is larger than ${SMALL} bytes`)
  return readAll(entries.open(found))
}
