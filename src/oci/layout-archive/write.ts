import { byBytes, hexOf, packTar, type TarEntry } from '#std'
import { type Descriptor, describeBytes } from '../descriptor.ts'
import { verified, writeArchive } from '../docker-archive/write.ts'
import type { Image } from '../image.ts'
import { DOCKER, OCI } from '../media-types.ts'
import { documentsOf, platformOf } from '../store/image-documents.ts'

/** Time of all entries, as of the files in layers. */
const MTIME = 315532801

/**
 * Writes an image as an uncompressed tar of an OCI image layout, as pack writes `.cnb` files: names that begin at `/`, sorted, everything with mode 0755.
 * Equal images give equal bytes. The file is there whole or not at all; returns the descriptor of the manifest.
 */
export async function writeLayoutArchive(image: Image, file: string): Promise<Descriptor> {
  const { manifest, config } = documentsOf(image)
  const types = image.family === 'oci' ? OCI : DOCKER
  const described = describeBytes(types.manifest, manifest)
  const blobs = new Map<string, TarEntry>()
  for (const bytes of [manifest, config]) {
    const { digest } = describeBytes('', bytes)
    blobs.set(hexOf(digest), fileEntry(`/blobs/sha256/${hexOf(digest)}`, bytes.length, bytes))
  }
  for (const layer of image.layers) {
    const name = hexOf(layer.blob.digest)
    blobs.set(
      name,
      fileEntry(`/blobs/sha256/${name}`, layer.blob.size, () => verified(layer)),
    )
  }
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI.index,
      manifests: [{ ...described, platform: platformOf(image.config) }],
    }),
  )
  const version = Buffer.from('{"imageLayoutVersion":"1.0.0"}')
  const entries = [
    directoryEntry('/blobs'),
    directoryEntry('/blobs/sha256'),
    ...[...blobs].toSorted(([a], [b]) => byBytes(a, b)).map(([, entry]) => entry),
    fileEntry('/index.json', index.length, index),
    fileEntry('/oci-layout', version.length, version),
  ]
  await writeArchive(file, packTar(entries))
  return described
}

function fileEntry(name: string, size: number, content: NonNullable<TarEntry['content']>): TarEntry {
  return { name, type: 'file', mode: 0o755, uid: 0, gid: 0, mtime: MTIME, size, content }
}

function directoryEntry(name: string): TarEntry {
  return { name, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: MTIME, size: 0 }
}
