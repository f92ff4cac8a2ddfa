import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { type Digest, isGzip, isSystemError, Problem, readTar, type TarLimits } from '#std'
import { archiveUnusable } from '../problems.ts'

/** A file in an archive: where its bytes are, and which they are. */
export interface ArchiveFile {
  readonly offset: number
  readonly size: number
  readonly digest: Digest
  /** True if the bytes begin as gzip does. */
  readonly gzip: boolean
}

/** The files of an archive by their names in it, links among them resolved. */
export interface Entries {
  file(name: string): ArchiveFile | undefined
  /** Opens the bytes of a file. */
  open(file: ArchiveFile): Readable
}

const LIMITS: TarLimits = { entries: 100_000, bytes: 256 * 2 ** 30, headerBytes: 1 << 16 }
const MOST_LINKS = 10
const SLASH = 0x2f

/**
 * Reads through a tar archive once and remembers where each file is, hashed. Names are keys and nothing else: nothing is unpacked.
 * A name that comes twice, or one that could be taken for a place outside, makes the archive unusable (`ARCHIVE_UNUSABLE`). With `rooted` names may begin at
 * `/`, which then is the top of the archive.
 */
export async function readEntries(path: string, { rooted = false } = {}): Promise<Entries> {
  const files = new Map<string, ArchiveFile>()
  const links = new Map<string, string>()
  try {
    for await (const { name, type, size, offset, content, linkname } of readTar(
      createReadStream(path, CHUNKS),
      LIMITS,
    )) {
      if (type === 'directory') continue
      const key = keyOf(rooted && name[0] === SLASH ? name.subarray(1) : name, path)
      if (files.has(key) || links.has(key))
        throw archiveUnusable(path, `${JSON.stringify(key)} is in it twice`)
      if (type === 'file') files.set(key, { offset, size, ...(await hashed(content)) })
      else if (linkname) links.set(key, targetOf(type === 'symlink' ? key : '', linkname, path))
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw archiveUnusable(path, 'there is no such file', error)
    if (isSystemError(error, 'EISDIR')) throw archiveUnusable(path, 'it is a directory', error)
    if (error instanceof Problem && error.code === 'TAR_MALFORMED')
      throw archiveUnusable(path, error.why, error)
    throw error
  }
  return {
    file(name) {
      let key: string | undefined = name
      for (let steps = 0; key !== undefined && steps < MOST_LINKS; steps++) {
        const found = files.get(key)
        if (found) return found
        key = links.get(key)
      }
      return undefined
    },
    open: ({ offset, size }) =>
      size === 0
        ? Readable.from([])
        : createReadStream(path, { ...CHUNKS, start: offset, end: offset + size - 1 }),
  }
}

const CHUNKS = { highWaterMark: 1 << 20 }

async function hashed(content: AsyncIterable<Uint8Array>): Promise<{ digest: Digest; gzip: boolean }> {
  const hash = createHash('sha256')
  let start = Buffer.alloc(0)
  for await (const chunk of content) {
    hash.update(chunk)
    if (start.length < 2) start = Buffer.concat([start, chunk.subarray(0, 2)])
  }
  return { digest: `sha256:${hash.digest('hex')}` as Digest, gzip: start[0] === 0x1f && start[1] === 0x8b }
}

/** The name as a key: `./` in front does not count. */
function keyOf(name: Buffer, archive: string): string {
  const text = name.toString('latin1').replace(/^(?:\.\/)+/, '')
  const parts = text.split('/')
  if (
    text.startsWith('/') ||
    parts.some(part => part === '..' || part === '.' || part === '') ||
    /[\0\\]/.test(text)
  ) {
    throw archiveUnusable(archive, `the name ${JSON.stringify(text.slice(0, 200))} is not allowed in it`)
  }
  return text
}

/** Where a link leads inside the archive, by the text alone; a hard link counts from the top, a symbolic one from where it is. */
function targetOf(from: string, linkname: Buffer, archive: string): string {
  const text = linkname.toString('latin1')
  const parts = from.split('/').slice(0, -1)
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined)
      throw archiveUnusable(archive, `a link in it leads outside: ${JSON.stringify(text.slice(0, 200))}`)
  }
  if (text.startsWith('/'))
    throw archiveUnusable(archive, `a link in it leads outside: ${JSON.stringify(text.slice(0, 200))}`)
  return parts.join('/')
}

/** True if the file begins as gzip does. Throws a `Problem` (`ARCHIVE_UNUSABLE`) where there is no such file. */
export async function isPacked(path: string): Promise<boolean> {
  try {
    return await isGzip(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'ENOTDIR'))
      throw archiveUnusable(path, 'there is no such file', error)
    throw error
  }
}
