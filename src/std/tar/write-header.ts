import { BLOCK, type TarHeader, type TarType } from './entry.ts'

const TYPE_FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}
const LARGEST_ID = 0o7777777
const LARGEST_SIZE = 0o77777777777

/**
 * The header blocks of one entry: USTAR where its fields fit, else a PAX header before it. Byte for byte what Go's `archive/tar`
 * writes for headers without a format of their own, which is what the reference lifecycle uses, so equal input gives equal diffIDs.
 */
export function headerBlocks(header: TarHeader): Buffer {
  const name = bytesOf(header.name)
  const linkname = bytesOf(header.linkname ?? '')
  if (header.gnu) return gnuBlocks(header, name, linkname)
  const records = new Map<string, Buffer>()
  const split = isAscii(name) ? splitName(name) : undefined

  if (linkname.length > 100 || !isAscii(linkname)) records.set('linkpath', linkname)
  if (header.size > LARGEST_SIZE) records.set('size', Buffer.from(String(header.size)))
  if (header.uid > LARGEST_ID) records.set('uid', Buffer.from(String(header.uid)))
  if (header.gid > LARGEST_ID) records.set('gid', Buffer.from(String(header.gid)))
  if (header.mtime < 0 || header.mtime > LARGEST_SIZE) records.set('mtime', Buffer.from(String(header.mtime)))
  for (const [key, value] of Object.entries(header.pax ?? {})) records.set(key, bytesOf(value))
  // A name that USTAR could hold in two parts gets a record too where there are records for other reasons.
  if (!split || (records.size > 0 && name.length > 100)) records.set('path', name)

  if (records.size === 0) {
    return block(
      header,
      split?.name ?? name,
      split?.prefix ?? Buffer.alloc(0),
      linkname,
      TYPE_FLAGS[header.type],
    )
  }
  const body = paxRecords(records)
  const shortened = cut(asciiOf(name))
  return Buffer.concat([
    paxHeader(name, body.length),
    body,
    Buffer.alloc(padding(body.length)),
    block(header, shortened, Buffer.alloc(0), cut(asciiOf(linkname)), TYPE_FLAGS[header.type], records),
  ])
}

/** The same in GNU tar's format, as Go writes what it read so: a name that does not fit goes before the entry, whole. */
function gnuBlocks(header: TarHeader, name: Buffer, linkname: Buffer): Buffer {
  const plain = withMagic(block(header, cut(name), Buffer.alloc(0), cut(linkname), TYPE_FLAGS[header.type]))
  return Buffer.concat([
    ...(name.length > 100 ? [longLink('L', name)] : []),
    ...(linkname.length > 100 ? [longLink('K', linkname)] : []),
    plain,
  ])
}

function longLink(flag: string, text: Buffer): Buffer {
  const body = Buffer.concat([text, Buffer.alloc(1)])
  const header = Buffer.alloc(BLOCK)
  header.write('././@LongLink', 0, 'latin1')
  for (const offset of [100, 108, 116]) octal(header, offset, 8, 0)
  octal(header, 124, 12, body.length)
  octal(header, 136, 12, 0)
  header.write(flag, 156, 'latin1')
  return Buffer.concat([withMagic(header), body, Buffer.alloc(padding(body.length))])
}

function withMagic(header: Buffer): Buffer {
  header.write('ustar  \0', 257, 'latin1')
  return withChecksum(header)
}

/** Bytes from the end of a content of this size to the next block. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

function bytesOf(text: Buffer | string): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : text
}

function isAscii(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === 0 || byte >= 0x80) return false
  }
  return true
}

function asciiOf(bytes: Buffer): Buffer {
  return bytes.filter(byte => byte < 0x80 && byte !== 0) as Buffer
}

/** The longest prefix that ends at a slash within the first 156 bytes, as USTAR wants it; undefined if there is none. */
function splitName(name: Buffer): { prefix: Buffer; name: Buffer } | undefined {
  if (name.length <= 100) return { prefix: Buffer.alloc(0), name }
  const end = name.length > 156 ? 156 : name[name.length - 1] === 0x2f ? name.length - 1 : name.length
  const at = name.subarray(0, end).lastIndexOf(0x2f)
  const rest = name.length - at - 1
  if (at <= 0 || rest > 100 || rest === 0 || at > 155) return undefined
  return { prefix: name.subarray(0, at), name: name.subarray(at + 1) }
}

/** Cut to the 100 bytes of a field; a name that is no directory must not end in a slash, so the slash becomes NUL. */
function cut(bytes: Buffer): Buffer {
  const short = Buffer.from(bytes.subarray(0, 100))
  if (bytes.length > 100 && short[99] === 0x2f) short[99] = 0
  return short
}

function paxRecords(records: Map<string, Buffer>): Buffer {
  const keys = [...records.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return Buffer.concat(keys.map(key => paxRecord(key, records.get(key) as Buffer)))
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = 3 + Buffer.byteLength(key) + value.length
  let length = rest + String(rest).length
  length = rest + String(length).length
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')])
}

/** The `x` header before a PAX body: `DIR/PaxHeaders.0/BASE`, with everything but name and size left at zero. */
function paxHeader(name: Buffer, size: number): Buffer {
  const text = name.toString('latin1').replace(/\/+$/, '')
  const slash = text.lastIndexOf('/')
  const directory = cleanPath(text.slice(0, slash + 1))
  const base = text.slice(slash + 1)
  const joined = cleanPath(`${directory}/PaxHeaders.0/${base}`)
  const field = asciiOf(Buffer.from(joined, 'latin1')).subarray(0, 100).toString('latin1').replace(/\/+$/, '')
  const header = Buffer.alloc(BLOCK)
  header.write(field, 0, 'latin1')
  octal(header, 100, 8, 0)
  octal(header, 108, 8, 0)
  octal(header, 116, 8, 0)
  octal(header, 124, 12, size)
  octal(header, 136, 12, 0)
  header.write('x', 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  return withChecksum(header)
}

/** Go's `path.Clean` for the two shapes needed here: doubled slashes go, dot segments are resolved. */
function cleanPath(path: string): string {
  const rooted = path.startsWith('/')
  const out: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop()
    else if (part !== '..' || !rooted) out.push(part)
  }
  return rooted ? `/${out.join('/')}` : out.join('/') || '.'
}

function block(
  header: TarHeader,
  name: Buffer,
  prefix: Buffer,
  linkname: Buffer,
  flag: string,
  records?: ReadonlyMap<string, Buffer>,
): Buffer {
  const out = Buffer.alloc(BLOCK)
  name.copy(out, 0, 0, 100)
  octal(out, 100, 8, header.mode)
  octal(out, 108, 8, records?.has('uid') ? 0 : header.uid)
  octal(out, 116, 8, records?.has('gid') ? 0 : header.gid)
  octal(out, 124, 12, records?.has('size') ? 0 : header.size)
  octal(out, 136, 12, records?.has('mtime') ? 0 : header.mtime)
  out.write(flag, 156, 'latin1')
  linkname.copy(out, 157, 0, 100)
  out.write('ustar\x0000', 257, 'latin1')
  octal(out, 329, 8, header.device?.major ?? 0)
  octal(out, 337, 8, header.device?.minor ?? 0)
  prefix.copy(out, 345, 0, 155)
  return withChecksum(out)
}

/** A number that does not fit, which only GNU's format has here, is written in base 256. */
function octal(out: Buffer, offset: number, length: number, value: number): void {
  if (value >= 8 ** (length - 1)) {
    for (let at = offset + length - 1, rest = value; at > offset; at--, rest = Math.floor(rest / 256))
      out[at] = rest % 256
    out[offset] = 0x80
    return
  }
  out.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1')
}

function withChecksum(header: Buffer): Buffer {
  header.fill(0x20, 148, 156)
  let sum = 0
  for (let at = 0; at < header.length; at++) sum += header[at] as number
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}
