import { createHash, randomBytes } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Digest, digestOf, hexOf, isSystemError, openDisposable, syncDirectory, thisProcess } from '#std'
import { blobDamaged, documentTooLarge } from '../problems.ts'

/** Manifests and configurations larger than this are refused unread. */
const LARGEST_DOCUMENT = 16 * 2 ** 20

/** Content by digest, in `blobs/sha256/` of an OCI image layout (image-spec image-layout.md). */
export class Blobs {
  readonly #directory: string
  readonly #staging: string

  constructor(root: string) {
    this.#directory = join(root, 'blobs/sha256')
    this.#staging = join(root, '.slipway/staging')
  }

  /** Where the blob of this digest is, or would be. */
  path(digest: Digest): string {
    return join(this.#directory, hexOf(digest))
  }

  /** Bytes of a blob; undefined if it is not here, or something else than a file is. */
  async size(digest: Digest): Promise<number | undefined> {
    try {
      const stats = await stat(this.path(digest))
      return stats.isFile() ? stats.size : undefined
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined
      throw error
    }
  }

  /** Reads a small blob whole and checks that it is what its name says. Throws a `Problem` (`BLOB_DAMAGED`, `DOCUMENT_TOO_LARGE`). */
  async read(digest: Digest): Promise<Buffer> {
    const stats = await stat(this.path(digest))
    // A pipe would never end.
    if (!stats.isFile()) throw blobDamaged(digest)
    const { size } = stats
    if (size > LARGEST_DOCUMENT) throw documentTooLarge(digest, size)
    const bytes = await readFile(this.path(digest))
    if (digestOf(bytes) !== digest) throw blobDamaged(digest)
    return bytes
  }

  /** Opens a blob. A pipe in its place has no bytes, rather than none yet. */
  open(digest: Digest): Readable {
    const flags = constants.O_RDONLY | constants.O_NONBLOCK
    return createReadStream(this.path(digest), { flags: flags as unknown as string, highWaterMark: 1 << 18 })
  }

  /** Keeps bytes; returns their digest. */
  async add(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes)
    if ((await this.size(digest)) === bytes.byteLength) return digest
    const added = await this.stream(
      (async function* () {
        yield bytes
      })(),
    )
    return added.digest
  }

  /**
   * Writes a stream under the digest that its bytes have. The blob can be seen only when it is complete and on disk: write, fsync,
   * compare with what was expected, rename, fsync the directory. A failure leaves nothing behind.
   * Throws a `Problem` (`BLOB_DAMAGED`) if the bytes are not those expected.
   */
  async stream(
    source: AsyncIterable<Uint8Array>,
    expected?: { digest: Digest; size: number },
  ): Promise<{ digest: Digest; size: number }> {
    await mkdir(this.#directory, { recursive: true })
    await mkdir(this.#staging, { recursive: true })
    const owner = (await thisProcess()).replace(' ', '-')
    const staged = join(this.#staging, `${owner}-${randomBytes(8).toString('hex')}`)
    const hash = createHash('sha256')
    let size = 0
    try {
      await using file = await openDisposable(staged, 'wx', 0o644)
      for await (const chunk of source) {
        size += chunk.byteLength
        if (expected && size > expected.size) throw blobDamaged(expected.digest)
        hash.update(chunk)
        await writeWhole(file.handle, chunk)
      }
      const digest = `sha256:${hash.digest('hex')}` as Digest
      if (expected && (digest !== expected.digest || size !== expected.size))
        throw blobDamaged(expected.digest)
      await file.handle.sync()
      await rename(staged, this.path(digest))
      await syncDirectory(this.#directory)
      return { digest, size }
    } catch (error) {
      await rm(staged, { force: true })
      throw error
    }
  }
}

async function writeWhole(
  handle: { write(bytes: Uint8Array, offset: number): Promise<{ bytesWritten: number }> },
  chunk: Uint8Array,
) {
  for (let offset = 0; offset < chunk.byteLength; ) offset += (await handle.write(chunk, offset)).bytesWritten
}
