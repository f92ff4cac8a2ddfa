import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { pipeline as finished } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { compressionOf, openExchange } from '#oci'
import { Digesting, isGzip, isSystemError, Problem } from '#std'
import { archiveInvalid } from '../problems.ts'
import type { PlainTar, Unpacked } from '../roots/unpacked.ts'
import { buildpackList } from './directory.ts'
import { type OpenedBuildpacks, packagedBuildpacks } from './packaged-buildpacks.ts'
import { buildpackIn, makeExecutable } from './tree.ts'

/**
 * Opens a file with buildpacks: a tar, packed with gzip or not, that has a buildpack at its top (`.tgz`), or one of an OCI image layout with a
 * buildpackage (`.cnb`; CNB distribution specification, "Buildpackage"). Nothing is unpacked anywhere but below our own roots. `name` is what people are told.
 * Throws a `Problem` (`BUILDPACK_ARCHIVE_INVALID`, `LAYER_REFUSED`, `TAR_MALFORMED`, …).
 */
export async function archivedBuildpacks(
  file: string,
  name: string,
  unpacked: Unpacked,
): Promise<OpenedBuildpacks> {
  const tree = await unpackArchive(file, name, unpacked)
  if (await isFile(join(tree, 'oci-layout'))) return openPackage(tree, name, unpacked)
  const found = await buildpackIn(tree, '/', 'buildpack', name)
  if (!found) throw archiveInvalid(name, 'it has neither buildpack.toml nor oci-layout at its top')
  await makeExecutable(found)
  const { id, version } = found.descriptor
  return { main: { id, version }, source: buildpackList([found]) }
}

async function unpackArchive(file: string, name: string, unpacked: Unpacked): Promise<string> {
  try {
    const packed = await isGzip(file)
    const tar = async () => {
      const bytes = createReadStream(file)
      return packed ? pipeline(bytes, createGunzip(), () => {}) : bytes
    }
    return await unpacked.layer(await named(tar))
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EISDIR', 'Z_DATA_ERROR', 'Z_BUF_ERROR'))
      throw archiveInvalid(name, error.message, error)
    if (error instanceof Problem && error.code === 'TAR_MALFORMED')
      throw archiveInvalid(name, error.why, error)
    throw error
  }
}

async function named(uncompressed: () => Promise<Readable>): Promise<PlainTar> {
  const digesting = new Digesting()
  await finished(await uncompressed(), digesting, async source => {
    for await (const _ of source) {
      // Only the digest is of interest.
    }
  })
  return { diffId: digesting.digest(), uncompressed }
}

async function openPackage(tree: string, name: string, unpacked: Unpacked): Promise<OpenedBuildpacks> {
  await refuseLinks(tree, name)
  const layout = openExchange(tree)
  const manifest = (await layout.descriptors()).find(({ mediaType }) =>
    /manifest\.v[12]\+json$/.test(mediaType),
  )
  const image = manifest && (await layout.image(manifest.digest))
  if (!image) throw archiveInvalid(name, 'its index.json names no image')
  for (const { blob } of image.layers) {
    try {
      compressionOf(blob.mediaType)
    } catch (error) {
      throw archiveInvalid(name, `a layer is of type ${blob.mediaType}`, error)
    }
  }
  return packagedBuildpacks(image, name, unpacked)
}

/** A layout has plain files only; a link in it could lead to a file of this machine. */
async function refuseLinks(tree: string, name: string): Promise<void> {
  for (const entry of await readdir(tree, { recursive: true, withFileTypes: true }))
    if (!entry.isFile() && !entry.isDirectory())
      throw archiveInvalid(name, `${JSON.stringify(entry.name)} in it is no plain file`)
}

async function isFile(path: string): Promise<boolean> {
  return lstat(path).then(
    found => found.isFile(),
    () => false,
  )
}
