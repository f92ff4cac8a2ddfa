import { randomBytes } from 'node:crypto'
import { lstat, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  type Digest,
  Digesting,
  hexOf,
  isSystemError,
  openDisposable,
  Problem,
  streamToNewFile,
  syncDirectory,
} from '#std'
import { meter } from './metered.ts'

/** A fetched file, by the sha256 of its bytes. */
export interface Artifact {
  readonly digest: Digest
  readonly size: number
  readonly path: string
}

/** What a file must be to be kept. */
export interface Expectations {
  readonly digest?: Digest
  readonly size?: number
  /** Bytes at most, where neither is known before; 4 GiB by default. */
  readonly limit?: number
  /** What it is called in messages. */
  readonly name?: string
}

/**
 * Verified downloads, kept below `<home>/artifacts/sha256` under their own digest. A file is there whole or not at all,
 * also after a crash, and any number of processes may add to it.
 */
export interface ArtifactStore {
  /** Where the bytes of a digest are, if they are here. */
  path(digest: Digest): Promise<string | undefined>
  /** Takes a stream. Throws a `Problem` (`ARTIFACT_DIFFERS`, `ARTIFACT_TOO_LARGE`) and keeps nothing if it is not as expected. */
  add(stream: AsyncIterable<Uint8Array>, expectations: Expectations): Promise<Artifact>
}

const LIMIT = 4 * 2 ** 30

export function openArtifactStore(home: string): ArtifactStore {
  const directory = join(home, 'artifacts', 'sha256')
  const placeOf = (digest: Digest) => join(directory, hexOf(digest))
  const sizeAt = async (path: string): Promise<number | undefined> => {
    try {
      const found = await lstat(path)
      return found.isFile() ? found.size : undefined
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  }
  return {
    async path(digest) {
      const path = placeOf(digest)
      return (await sizeAt(path)) === undefined ? undefined : path
    },
    async add(stream, expectations) {
      await mkdir(directory, { recursive: true })
      const staged = join(directory, `.${randomBytes(8).toString('hex')}.tmp`)
      try {
        const hash = new Digesting()
        const limit = expectations.size ?? expectations.limit ?? LIMIT
        const told = meter()
        const bounded = (chunks: AsyncIterable<Uint8Array>) => upTo(chunks, limit, expectations, told)
        await pipeline(stream, bounded, hash, await streamToNewFile(staged, 0o444))
        const digest = hash.digest()
        if (expectations.size !== undefined && hash.size !== expectations.size) {
          throw differs(expectations, `${expectations.size} bytes`, `${hash.size} bytes`)
        }
        if (expectations.digest !== undefined && digest !== expectations.digest) {
          throw differs(expectations, expectations.digest, digest)
        }
        const path = placeOf(digest)
        await using file = await openDisposable(staged, 'r')
        await file.handle.sync()
        await rename(staged, path)
        await syncDirectory(directory)
        return { digest, size: hash.size, path }
      } catch (error) {
        await rm(staged, { force: true })
        throw error
      }
    },
  }
}

async function* upTo(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
  { name }: Expectations,
  told: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.byteLength
    if (size > limit) {
      throw new Problem('ARTIFACT_TOO_LARGE', {
        what: `Cannot keep ${name ?? 'a download'}`,
        why: `it has more than the ${limit} bytes that were expected`,
        fix: 'Do not trust that server. Try again, or configure another mirror.',
      })
    }
    told(chunk.byteLength)
    yield chunk
  }
}

function differs({ name }: Expectations, wanted: string, got: string): Problem {
  return new Problem('ARTIFACT_DIFFERS', {
    what: `Cannot use ${name ?? 'a download'}`,
    why: `it should be ${wanted}, and is ${got}`,
    fix: 'Do not trust that file. Try again; if it stays so, the mirror serves something else than was published.',
  })
}
