import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { type Digest, hexOf, isSystemError, Problem, readTar } from '#std'
import { parseConfig } from '../config.ts'
import type { Descriptor } from '../descriptor.ts'
import { type ArchiveFile, type Entries, isPacked, readEntries } from '../docker-archive/entries.ts'
import { type ArchivedImage, readSmall, unpackWhole } from '../docker-archive/read.ts'
import { parseManifest } from '../manifest.ts'
import { DOCKER, OCI } from '../media-types.ts'
import { archiveUnusable, blobDamaged } from '../problems.ts'
import { parseIndex } from '../store/index-file.ts'
import { packedLayer } from '../store/stored-layer.ts'

/**
 * Opens the first image of a tar of an OCI image layout (`.cnb` files of buildpacks; CNB distribution specification, "Buildpackage"), its entries in any order and
 * their names with or without `/` in front. Every blob that is read must be what its digest names. Nothing is unpacked to a place that the archive names; one
 * that is packed with gzip as a whole is unpacked to a file in `staging`.
 * Throws a `Problem` (`ARCHIVE_UNUSABLE`, `BLOB_DAMAGED`, `DOCUMENT_INVALID`, `JSON_MALFORMED`, `MANIFEST_AMBIGUOUS`).
 */
export async function readLayoutArchive(file: string, staging: string): Promise<ArchivedImage> {
  const plain = (await isPacked(file)) ? await unpackWhole(file, staging) : undefined
  try {
    const entries = await readEntries(plain ? join(plain.path, 'archive.tar') : file, { rooted: true })
    return {
      ...(await firstImage(entries, file)),
      name: undefined,
      async [Symbol.asyncDispose]() {
        await plain?.[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await plain?.[Symbol.asyncDispose]()
    throw error
  }
}

/** True if a tar, packed or not, is one of an image layout: it has the file `oci-layout` at its top. */
export async function isLayoutArchive(file: string, open: () => AsyncIterable<Uint8Array>): Promise<boolean> {
  try {
    for await (const { name, type } of readTar(open()))
      if (type === 'file' && /^(?:\.?\/)*oci-layout$/.test(name.toString('latin1'))) return true
    return false
  } catch (error) {
    if (error instanceof Problem && error.code === 'TAR_MALFORMED')
      throw archiveUnusable(file, error.why, error)
    if (isSystemError(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR'))
      throw archiveUnusable(file, 'its gzip stream is damaged', error)
    throw error
  }
}

/** The bytes of a file. */
export function fileBytes(file: string): AsyncIterable<Uint8Array> {
  return createReadStream(file, { highWaterMark: 1 << 20 })
}

async function firstImage(entries: Entries, file: string) {
  const index = parseIndex(
    new TextDecoder().decode(await readSmall(entries, 'index.json', file)),
    `the index in ${file}`,
  )
  const found = index.find(({ mediaType }) => mediaType === OCI.manifest || mediaType === DOCKER.manifest)
  if (!found) throw archiveUnusable(file, 'its index names no image')
  const manifest = parseManifest(await readBlob(entries, found, file), `the manifest in ${file}`)
  const bytes = await readBlob(entries, manifest.config, file)
  const config = parseConfig(bytes, `the configuration in ${file}`)
  const diffIds = config.rootfs.diff_ids
  if (diffIds.length !== manifest.layers.length)
    throw archiveUnusable(file, `it has ${manifest.layers.length} layers and ${diffIds.length} diffIDs`)
  const layers = manifest.layers.map((blob, each) => {
    const entry = blobIn(entries, blob, file)
    return packedLayer(diffIds[each] as Digest, blob, () => entries.open(entry))
  })
  return { image: { family: manifest.family, config, layers }, config: bytes }
}

async function readBlob(entries: Entries, descriptor: Descriptor, file: string): Promise<Buffer> {
  blobIn(entries, descriptor, file)
  return readSmall(entries, nameOf(descriptor), file)
}

function blobIn(entries: Entries, descriptor: Descriptor, file: string): ArchiveFile {
  const found = entries.file(nameOf(descriptor))
  if (!found) throw archiveUnusable(file, `the content ${descriptor.digest} is not in it`)
  if (found.digest !== descriptor.digest || found.size !== descriptor.size)
    throw blobDamaged(descriptor.digest)
  return found
}

function nameOf({ digest }: Descriptor): string {
  return `blobs/sha256/${hexOf(digest)}`
}
