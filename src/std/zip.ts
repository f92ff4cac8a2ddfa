import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream'
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib'
import { Problem } from './problem.ts'

/** One entry of a zip file, as its central directory tells it. */
export interface ZipEntry {
  /** The name as written; nothing about it is trusted: it may hold `..`, a leading slash, or backslashes. */
  readonly name: string
  readonly type: 'file' | 'directory' | 'symlink'
  /** Unix permission bits, or `undefined` where the archive was not made on a Unix. */
  readonly mode: number | undefined
  /** Bytes after unpacking; enforced while reading. */
  readonly size: number
  readonly compressedSize: number
  readonly crc32: number
  readonly method: 0 | 8
  /** Where the entry's local header stands in the file. */
  readonly offset: number
}

/** A zip file open for reading. */
export interface ZipArchive extends AsyncDisposable {
  readonly entries: readonly ZipEntry[]
  /** The entry of that exact name. */
  find(name: string): ZipEntry | undefined
  /** All bytes of an entry; its size and CRC-32 are checked. Refuses entries larger than `limit` bytes (64 MiB). */
  read(entry: ZipEntry, limit?: number): Promise<Buffer>
  /** The bytes of an entry as they come; the stream fails at its end if size or CRC-32 disagree. */
  stream(entry: ZipEntry): Promise<Readable>
}

/** How much a zip may hold before it is refused as a bomb. */
export interface ZipLimits {
  readonly entries: number
  readonly bytes: number
}

const LIMITS: ZipLimits = { entries: 200_000, bytes: 8 * 1024 ** 3 }
const DIRECTORY_LIMIT = 128 * 1024 * 1024

interface Bytes {
  readonly size: number
  read(position: number, length: number): Promise<Buffer>
}

/** Opens a zip file on disk. Throws a `Problem` (`ZIP_MALFORMED`) for what is not one, or is dishonest about itself. */
export async function openZip(path: string, limits: ZipLimits = LIMITS): Promise<ZipArchive> {
  const file = openSync(path, 'r')
  try {
    const archive = await archiveOf(bytesOf(file, path), path, limits)
    return { ...archive, [Symbol.asyncDispose]: async () => closeSync(file) }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/** Opens a zip held in memory; `source` names it in messages. */
export async function openZipBytes(
  content: Buffer,
  source: string,
  limits: ZipLimits = LIMITS,
): Promise<ZipArchive> {
  const bytes: Bytes = {
    size: content.byteLength,
    async read(position, length) {
      if (position < 0 || position + length > content.byteLength) throw malformed(source, 'it ends too early')
      return content.subarray(position, position + length)
    },
  }
  return { ...(await archiveOf(bytes, source, limits)), async [Symbol.asyncDispose]() {} }
}

/** Most of what is read are a few bytes: done at once, not by Node's thread pool. */
function bytesOf(file: number, source: string): Bytes {
  const { size } = fstatSync(file)
  return {
    size,
    async read(position, length) {
      if (position < 0 || position + length > size) throw malformed(source, 'it ends too early')
      const buffer = Buffer.allocUnsafe(length)
      for (let filled = 0; filled < length; ) {
        const read = readSync(file, buffer, filled, length - filled, position + filled)
        if (read === 0) throw malformed(source, 'it ends too early')
        filled += read
      }
      return buffer
    },
  }
}

async function archiveOf(bytes: Bytes, source: string, limits: ZipLimits): Promise<Omit<ZipArchive, symbol>> {
  const entries = await entriesOf(bytes, source, limits)
  const byName = new Map(entries.map(entry => [entry.name, entry]))
  return {
    entries,
    find: name => byName.get(name),
    async read(entry, limit = 64 * 1024 * 1024) {
      if (entry.size > limit) throw malformed(source, `${quoted(entry.name)} is larger than ${limit} bytes`)
      const packed = await bytes.read(await contentStart(bytes, entry, source), entry.compressedSize)
      const content = entry.method === 0 ? packed : inflated(packed, entry, source)
      if (content.byteLength !== entry.size || crc32(content) !== entry.crc32) throw corrupt(source, entry)
      return content
    },
    async stream(entry) {
      const start = await contentStart(bytes, entry, source)
      const packed = Readable.from(chunks(bytes, start, entry.compressedSize), { objectMode: false })
      const checked = new Checking(entry, source)
      const inflate = entry.method === 8 ? [createInflateRaw()] : []
      pipeline([packed, ...inflate, checked], () => {})
      return checked
    },
  }
}

async function* chunks(bytes: Bytes, start: number, length: number): AsyncGenerator<Buffer> {
  const step = 256 * 1024
  for (let done = 0; done < length; done += step) {
    yield await bytes.read(start + done, Math.min(step, length - done))
  }
}

function inflated(packed: Buffer, entry: ZipEntry, source: string): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) })
  } catch (cause) {
    throw corrupt(source, entry, cause)
  }
}

class Checking extends Transform {
  readonly #entry: ZipEntry
  readonly #source: string
  #crc = 0
  #size = 0

  constructor(entry: ZipEntry, source: string) {
    super()
    this.#entry = entry
    this.#source = source
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.byteLength
    this.#crc = crc32(chunk, this.#crc)
    if (this.#size > this.#entry.size) done(corrupt(this.#source, this.#entry))
    else done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    const good = this.#size === this.#entry.size && this.#crc === this.#entry.crc32
    done(good ? null : corrupt(this.#source, this.#entry))
  }
}

async function contentStart(bytes: Bytes, entry: ZipEntry, source: string): Promise<number> {
  const header = await bytes.read(entry.offset, 30)
  if (header.readUInt32LE(0) !== 0x04034b50)
    throw malformed(source, `${quoted(entry.name)} has no local header`)
  const nameLength = header.readUInt16LE(26)
  const name = decoded(await bytes.read(entry.offset + 30, nameLength))
  // Two readers may never see two different files under one entry.
  if (name !== entry.name) throw malformed(source, `${quoted(entry.name)} calls itself ${quoted(name)}`)
  return entry.offset + 30 + nameLength + header.readUInt16LE(28)
}

interface Directory {
  readonly position: number
  readonly size: number
  readonly count: number
  /** What was put before the archive, a start script for instance; offsets do not count it. */
  readonly shift: number
}

async function entriesOf(bytes: Bytes, source: string, limits: ZipLimits): Promise<ZipEntry[]> {
  const directory = await directoryOf(bytes, source)
  if (directory.count > limits.entries) throw malformed(source, `it has more than ${limits.entries} entries`)
  if (directory.size > DIRECTORY_LIMIT) throw malformed(source, 'its directory is too large')
  const table = await bytes.read(directory.position, directory.size)
  const entries: ZipEntry[] = []
  let at = 0
  let total = 0
  for (let index = 0; index < directory.count; index++) {
    if (at + 46 > table.byteLength || table.readUInt32LE(at) !== 0x02014b50) {
      throw malformed(source, `its directory is damaged at entry ${index + 1}`)
    }
    const next =
      at + 46 + table.readUInt16LE(at + 28) + table.readUInt16LE(at + 30) + table.readUInt16LE(at + 32)
    if (next > table.byteLength) throw malformed(source, `its directory is damaged at entry ${index + 1}`)
    const entry = entryAt(table, at, directory.shift, source)
    total += entry.size
    if (total > limits.bytes) throw malformed(source, `it unpacks to more than ${limits.bytes} bytes`)
    entries.push(entry)
    at = next
  }
  refuseTricks(entries, directory.position, source)
  return entries
}

function refuseTricks(entries: ZipEntry[], end: number, source: string): void {
  const names = new Set<string>()
  for (const { name } of entries) {
    if (names.has(name)) throw malformed(source, `${quoted(name)} is in it twice`)
    names.add(name)
  }
  const ordered = entries.toSorted((a, b) => a.offset - b.offset)
  for (const [index, entry] of ordered.entries()) {
    const limit = ordered[index + 1]?.offset ?? end
    if (entry.offset + 30 + entry.compressedSize > limit) {
      throw malformed(source, `${quoted(entry.name)} overlaps what follows it`)
    }
  }
}

function entryAt(table: Buffer, at: number, shift: number, source: string): ZipEntry {
  const nameLength = table.readUInt16LE(at + 28)
  const name = decoded(table.subarray(at + 46, at + 46 + nameLength))
  const extra = table.subarray(at + 46 + nameLength, at + 46 + nameLength + table.readUInt16LE(at + 30))
  const flags = table.readUInt16LE(at + 8)
  const method = table.readUInt16LE(at + 10)
  if (flags & 1) throw malformed(source, `${quoted(name)} is encrypted`)
  if (name === '' || name.includes('\0')) throw malformed(source, 'an entry has no usable name')
  if (method !== 0 && method !== 8) {
    throw malformed(source, `${quoted(name)} is packed with method ${method}, which nothing here reads`)
  }
  const [size, compressedSize, offset] = wide(extra, [
    table.readUInt32LE(at + 24),
    table.readUInt32LE(at + 20),
    table.readUInt32LE(at + 42),
  ])
  const unix = table.readUInt8(at + 5) === 3 ? table.readUInt32LE(at + 38) >>> 16 : undefined
  const kind = unix === undefined ? 0 : unix & 0o170000
  const type = kind === 0o120000 ? 'symlink' : kind === 0o040000 || name.endsWith('/') ? 'directory' : 'file'
  if (type === 'file' && kind !== 0 && kind !== 0o100000) {
    throw malformed(source, `${quoted(name)} is neither file, directory nor link`)
  }
  if (method === 0 && size !== compressedSize) throw malformed(source, `${quoted(name)} has two sizes`)
  return {
    name,
    type,
    mode: unix === undefined || (unix & 0o7777) === 0 ? undefined : unix & 0o7777,
    size,
    compressedSize,
    crc32: table.readUInt32LE(at + 16),
    method,
    offset: offset + shift,
  }
}

/** Replaces values of 0xffffffff by the 64-bit ones of the zip64 field, which lists only those, in this order. */
function wide(extra: Buffer, values: [number, number, number]): [number, number, number] {
  if (!values.includes(0xffffffff)) return values
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
    let used = 0
    return values.map(value => {
      if (value !== 0xffffffff || used + 8 > field.byteLength) return value
      used += 8
      return Number(field.readBigUInt64LE(used - 8))
    }) as [number, number, number]
  }
  return values
}

async function directoryOf(bytes: Bytes, source: string): Promise<Directory> {
  const length = Math.min(bytes.size, 22 + 0xffff)
  const tail = await bytes.read(bytes.size - length, length)
  for (let at = length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== 0x06054b50 || at + 22 + tail.readUInt16LE(at + 20) !== length) continue
    const end = bytes.size - length + at
    if (tail.readUInt16LE(at + 4) !== 0) throw malformed(source, 'it is one part of several')
    const count = tail.readUInt16LE(at + 10)
    const size = tail.readUInt32LE(at + 12)
    const offset = tail.readUInt32LE(at + 16)
    if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
      const found = await wideDirectoryOf(bytes, end, source)
      if (found) return found
    }
    return placed(end - size, size, count, offset, source)
  }
  throw malformed(source, 'it is not a zip file, or its end is missing')
}

async function wideDirectoryOf(bytes: Bytes, end: number, source: string): Promise<Directory | undefined> {
  if (end < 20) return undefined
  const locator = await bytes.read(end - 20, 20)
  if (locator.readUInt32LE(0) !== 0x07064b50) return undefined
  const position = end - 20 - 56
  const record = await bytes.read(position, 56)
  if (record.readUInt32LE(0) !== 0x06064b50) throw malformed(source, 'its zip64 directory is damaged')
  const [count, size, offset] = [32, 40, 48].map(at => Number(record.readBigUInt64LE(at))) as [
    number,
    number,
    number,
  ]
  return placed(position - size, size, count, offset, source)
}

function placed(position: number, size: number, count: number, offset: number, source: string): Directory {
  const shift = position - offset
  if (position < 0 || shift < 0) throw malformed(source, 'its directory lies outside the file')
  return { position, size, count, shift }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Names are UTF-8 wherever that is possible; bytes that are not are read as Latin-1, so that no two names collapse. */
function decoded(name: Buffer): string {
  try {
    return utf8.decode(name)
  } catch {
    return name.toString('latin1')
  }
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 200))
}

function corrupt(source: string, entry: ZipEntry, cause?: unknown): Problem {
  return malformed(
    source,
    `the content of ${quoted(entry.name)} does not have the size and checksum it claims`,
    cause,
  )
}

function malformed(source: string, why: string, cause?: unknown): Problem {
  return new Problem('ZIP_MALFORMED', {
    what: `Cannot read the zip file ${source}`,
    why,
    fix: 'Make or fetch the file again; if it came from someone else, do not trust it.',
    cause,
  })
}
