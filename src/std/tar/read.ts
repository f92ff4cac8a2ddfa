import { Problem } from '../problem.ts'
import { BLOCK, type TarHeader, type TarType } from './entry.ts'

/** An entry as read: names as bytes, content streamed. Content that is not consumed is skipped. */
export interface ReadEntry extends TarHeader {
  readonly name: Buffer
  readonly linkname?: Buffer
  readonly pax: Readonly<Record<string, Buffer>>
  /** Where in the stream the content begins, for readers that come back to it. */
  readonly offset: number
  /** The bytes of a file, to be read before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>
}

/** How much an archive may hold before it is refused. */
export interface TarLimits {
  readonly entries: number
  /** Bytes of all contents together. */
  readonly bytes: number
  /** Bytes of one PAX or long-name header. */
  readonly headerBytes: number
}

/** Room for any real image layer. */
export const GENEROUS: TarLimits = { entries: 5_000_000, bytes: 64 * 2 ** 30, headerBytes: 1 << 20 }

const TYPES: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
}

/**
 * Reads a tar stream entry by entry (ustar, PAX, GNU long names; POSIX.1-2001 pax interchange format). Strict: a wrong checksum, a
 * number that is none, a truncated stream, records that contradict themselves or a size over the limits throw a `Problem`
 * (`TAR_MALFORMED`) naming the byte offset, and so does what other readers would understand otherwise: sparse files, a name said twice in
 * two ways, a single zero block before more entries. Global PAX headers are passed over, as the OCI layer rules ask.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits: TarLimits = GENEROUS,
): AsyncGenerator<ReadEntry> {
  const input = new Blocks(source)
  try {
    yield* entriesIn(input, limits)
  } finally {
    await input.letGo()
  }
}

async function* entriesIn(input: Blocks, limits: TarLimits): AsyncGenerator<ReadEntry> {
  let pax: Record<string, Buffer> = {}
  let longName: Buffer | undefined
  let longLink: Buffer | undefined
  let entries = 0
  let total = 0

  for (;;) {
    const at = input.offset
    const header = await input.block()
    if (!header || isZero(header)) {
      if (longName || longLink || Object.keys(pax).length > 0)
        throw malformed(at, 'it ends after a header for an entry that does not come')
      const second = header && (await input.block())
      if (second && !isZero(second)) throw malformed(at, 'one empty block stands before further entries')
      await input.drain()
      return
    }
    checkSum(header, at)
    const flag = String.fromCharCode(header[156] as number)
    const declared = number(header, 124, 12, at)
    if (++entries > limits.entries) throw malformed(at, `it has more than ${limits.entries} entries`)

    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
      if (declared > limits.headerBytes) throw malformed(at, `a header of ${declared} bytes is too large`)
      const body = await input.take(declared)
      if (flag === 'x') pax = paxOf(body, at)
      else if (flag === 'L') longName = untilNul(body)
      else if (flag === 'K') longLink = untilNul(body)
      continue
    }

    const type = TYPES[flag]
    if (!type) throw malformed(at, `entries of type ${JSON.stringify(flag)} are not supported`)
    const entry = entryOf(header, type, declared, { pax, longName, longLink }, at)
    if (entry.size > 0 && entry.type !== 'file') throw malformed(at, `a ${entry.type} cannot have content`)
    total += entry.size
    if (total > limits.bytes) throw malformed(at, `it unpacks to more than ${limits.bytes} bytes`)
    pax = {}
    longName = undefined
    longLink = undefined

    const content = input.content(entry.size)
    yield { ...entry, offset: input.offset, content }
    for await (const _ of content) {
      // What the reader left of the content is passed over.
    }
    await input.skipPadding(entry.size)
  }
}

function entryOf(
  header: Buffer,
  type: TarType,
  declared: number,
  extra: { pax: Record<string, Buffer>; longName: Buffer | undefined; longLink: Buffer | undefined },
  at: number,
): Omit<ReadEntry, 'content' | 'offset'> {
  const { pax, longName, longLink } = extra
  const ustar = header.toString('latin1', 257, 262) === 'ustar' && header[262] === 0
  const gnu = header.toString('latin1', 257, 265) === 'ustar  \0'
  const prefix = ustar ? untilNul(header.subarray(345, 500)) : Buffer.alloc(0)
  const short = untilNul(header.subarray(0, 100))
  const joined = prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), short]) : short
  if (contradicts(pax.path, longName) || contradicts(pax.linkpath, longLink))
    throw malformed(at, 'an entry has a long name of GNU and another of PAX')
  if (Object.keys(pax).some(key => key.startsWith('GNU.sparse.')))
    throw malformed(at, 'sparse files are not supported')
  const name = pax.path ?? longName ?? joined
  const linkname = pax.linkpath ?? longLink ?? untilNul(header.subarray(157, 257))
  if (name.length === 0) throw malformed(at, 'an entry has no name')
  const others = Object.entries(pax).filter(
    ([key]) => !['path', 'linkpath', 'size', 'uid', 'gid', 'mtime'].includes(key),
  )
  const directory = type === 'file' && name[name.length - 1] === 0x2f
  return {
    name,
    type: directory ? 'directory' : type,
    mode: number(header, 100, 8, at) & 0o7777,
    uid: decimal(pax.uid, at) ?? number(header, 108, 8, at),
    gid: decimal(pax.gid, at) ?? number(header, 116, 8, at),
    mtime: timeOf(pax.mtime, at) ?? number(header, 136, 12, at),
    size: decimal(pax.size, at) ?? declared,
    pax: Object.fromEntries(others),
    ...(gnu && { gnu }),
    ...(type === 'link' || type === 'symlink' ? { linkname } : {}),
    ...(type === 'character' || type === 'block'
      ? { device: { major: number(header, 329, 8, at), minor: number(header, 337, 8, at) } }
      : {}),
  }
}

function contradicts(pax: Buffer | undefined, long: Buffer | undefined): boolean {
  return pax !== undefined && long !== undefined && !pax.equals(long)
}

function isZero(block: Buffer): boolean {
  return block.every(byte => byte === 0)
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0)
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end))
}

/** Octal text, or GNU base-256 for numbers that do not fit. */
function number(header: Buffer, offset: number, length: number, at: number): number {
  const field = header.subarray(offset, offset + length)
  if ((field[0] as number) & 0x80) {
    let value = (field[0] as number) & 0x7f
    for (const byte of field.subarray(1)) value = value * 256 + byte
    if (!Number.isSafeInteger(value) || (field[0] as number) & 0x40)
      throw malformed(at, 'a number is out of range')
    return value
  }
  const text = field.toString('latin1').replace(/^[ \0]+|[ \0]+$/g, '')
  if (text === '') return 0
  if (!/^[0-7]+$/.test(text)) throw malformed(at, `${JSON.stringify(text)} is not an octal number`)
  return Number.parseInt(text, 8)
}

function decimal(record: Buffer | undefined, at: number): number | undefined {
  if (record === undefined) return undefined
  const text = record.toString('latin1')
  if (!/^\d{1,15}$/.test(text))
    throw malformed(at, `${JSON.stringify(text.slice(0, 30))} is not a whole number`)
  return Number(text)
}

/** Seconds, of which fractions are dropped. */
function timeOf(record: Buffer | undefined, at: number): number | undefined {
  if (record === undefined) return undefined
  const text = record.toString('latin1')
  if (!/^-?\d{1,15}(?:\.\d{0,30})?$/.test(text))
    throw malformed(at, `${JSON.stringify(text.slice(0, 30))} is not a time`)
  return Math.floor(Number(text))
}

function paxOf(body: Buffer, at: number): Record<string, Buffer> {
  const records: Record<string, Buffer> = Object.create(null)
  for (let offset = 0; offset < body.length; ) {
    const space = body.indexOf(0x20, offset)
    const digits = space < 0 ? '' : body.toString('latin1', offset, space)
    const length = /^\d{1,9}$/.test(digits) ? Number(digits) : 0
    const end = offset + length
    const equals = body.indexOf(0x3d, space)
    if (length < 5 || end > body.length || body[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw malformed(at, 'a PAX record is cut or has a wrong length')
    }
    const key = body.toString('utf8', space + 1, equals)
    const value = Buffer.from(body.subarray(equals + 1, end - 1))
    if (key === '' || ((key === 'path' || key === 'linkpath') && value.includes(0)))
      throw malformed(at, `the PAX record ${JSON.stringify(key)} is not valid`)
    records[key] = value
    offset = end
  }
  return records
}

function checkSum(header: Buffer, at: number): void {
  const text = header
    .toString('latin1', 148, 156)
    .replace(/[ \0]+$/, '')
    .trim()
  let sum = 0
  for (let index = 0; index < BLOCK; index++)
    sum += index >= 148 && index < 156 ? 0x20 : (header[index] as number)
  if (!/^[0-7]+$/.test(text) || Number.parseInt(text, 8) !== sum)
    throw malformed(at, 'a header has a wrong checksum')
}

function malformed(at: number, why: string): Problem {
  return new Problem('TAR_MALFORMED', {
    what: 'Cannot read a tar archive',
    why: `at byte ${at}: ${why}`,
    fix: 'Get the archive again from where it came; if it stays so, its maker has to mend it.',
  })
}

/** A byte source asked for blocks, counts and ranges. */
class Blocks {
  readonly #source: AsyncIterator<Uint8Array>
  #rest: Buffer = Buffer.alloc(0)
  #ended = false
  offset = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#ended) {
      const { done, value } = await this.#source.next()
      if (done) this.#ended = true
      else this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
    return this.#rest.length > 0
  }

  #consume(most: number): Buffer {
    const part = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(part.length)
    this.offset += part.length
    return part
  }

  /** The next block, or undefined at the end of the stream. */
  async block(): Promise<Buffer | undefined> {
    if (!(await this.#fill())) return undefined
    if (this.#rest.length >= BLOCK) return this.#consume(BLOCK)
    return this.take(BLOCK, false)
  }

  async take(count: number, padded = true): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.content(count)) parts.push(part)
    if (padded) await this.skipPadding(count)
    return Buffer.concat(parts)
  }

  /** The next `count` bytes. A reader may stop early; iterating again goes on where it stopped. */
  content(count: number): AsyncIterable<Buffer> {
    let left = count
    const next = async (): Promise<IteratorResult<Buffer>> => {
      if (left === 0) return { done: true, value: undefined }
      if (!(await this.#fill())) throw malformed(this.offset, 'it ends in the middle of an entry')
      const part = this.#consume(left)
      left -= part.length
      return { done: false, value: part }
    }
    return { [Symbol.asyncIterator]: () => ({ next }) }
  }

  async skipPadding(size: number): Promise<void> {
    for await (const _ of this.content((BLOCK - (size % BLOCK)) % BLOCK)) {
      // Padding has no meaning.
    }
  }

  async drain(): Promise<void> {
    while (await this.#fill()) this.#consume(this.#rest.length)
  }

  /** Ends the source where nobody reads it to its end. */
  async letGo(): Promise<void> {
    if (!this.#ended) await this.#source.return?.()
  }
}
