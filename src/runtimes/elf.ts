import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** What the dynamic section of an ELF file says: who it is, and what it wants from others. */
export interface ElfFacts {
  readonly machine: number
  /** Shared objects it is linked against (DT_NEEDED), in order. */
  readonly needed: readonly string[]
  readonly soname?: string
  /** DT_RUNPATH, else DT_RPATH, split at colons. */
  readonly runpath: readonly string[]
  /** The program interpreter (PT_INTERP), for programs that have one. */
  readonly interpreter?: string
  /** Symbol versions wanted from others (SHT_GNU_verneed): object and version name. */
  readonly versionNeeds: readonly { readonly from: string; readonly version: string }[]
}

const DT = {
  NEEDED: 1,
  STRTAB: 5,
  STRSZ: 10,
  SONAME: 14,
  RPATH: 15,
  RUNPATH: 29,
  VERNEED: 0x6ffffffe,
  VERNEEDNUM: 0x6fffffff,
}
const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3 }

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

/** The bytes of a file, read where asked, so that large programs need not be in memory. */
interface Bytes {
  readonly size: number
  read(offset: number, size: number): Buffer
}

/** True if these bytes begin as an ELF file does. */
export function isElf(start: Uint8Array): boolean {
  return start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46
}

/**
 * Reads a 64-bit little-endian ELF file (all that we build for). `undefined` for files that are not one, relocatable
 * objects included, and for static programs. Damaged files throw a plain `Error`; bounds are checked everywhere.
 */
export function readElf(content: Buffer): ElfFacts | undefined {
  return factsOf({ size: content.length, read: (offset, size) => content.subarray(offset, offset + size) })
}

/** The same for a file on disk. */
export function readElfFile(path: string): ElfFacts | undefined {
  const descriptor = openSync(path, 'r')
  try {
    return factsOf({
      size: fstatSync(descriptor).size,
      read(offset, size) {
        const buffer = Buffer.alloc(size)
        return buffer.subarray(0, readSync(descriptor, buffer, 0, size, offset))
      },
    })
  } finally {
    closeSync(descriptor)
  }
}

function factsOf(file: Bytes): ElfFacts | undefined {
  if (file.size < 64) return undefined
  const header = file.read(0, 64)
  if (!isElf(header) || header[4] !== 2 || header[5] !== 1) return undefined
  const type = header.readUInt16LE(16)
  if (type !== 2 && type !== 3) return undefined
  const segments = segmentsOf(file, header)
  const dynamic = segments.find(segment => segment.type === PT.DYNAMIC)
  if (!dynamic) return undefined

  const values = dynamicValues(file, dynamic)
  const first = (tag: number) => values.find(value => value.tag === tag)?.value
  const table = first(DT.STRTAB)
  if (table === undefined) throw new Error('the dynamic section names no string table')
  const strings = at(file, segments, table, first(DT.STRSZ) ?? 0)
  const string = (offset: number) => zeroEnded(strings, offset)

  const soname = first(DT.SONAME)
  const path = first(DT.RUNPATH) ?? first(DT.RPATH)
  const interpreter = segments.find(segment => segment.type === PT.INTERP)
  return {
    machine: header.readUInt16LE(18),
    needed: values.filter(({ tag }) => tag === DT.NEEDED).map(({ value }) => string(value)),
    ...(soname !== undefined && { soname: string(soname) }),
    runpath: path === undefined ? [] : string(path).split(':'),
    ...(interpreter && { interpreter: zeroEnded(slice(file, interpreter.offset, interpreter.size), 0) }),
    versionNeeds: versionNeeds(file, segments, first(DT.VERNEED), first(DT.VERNEEDNUM) ?? 0, string),
  }
}

function segmentsOf(file: Bytes, fileHeader: Buffer): Segment[] {
  const start = number(fileHeader, 32)
  const step = fileHeader.readUInt16LE(54)
  const count = fileHeader.readUInt16LE(56)
  if (step < 56) throw new Error('program headers are too small')
  return Array.from({ length: count }, (_, index) => {
    const header = slice(file, start + index * step, 56)
    return {
      type: header.readUInt32LE(0),
      offset: number(header, 8),
      address: number(header, 16),
      size: number(header, 32),
    }
  })
}

function dynamicValues(file: Bytes, dynamic: Segment): { tag: number; value: number }[] {
  const bytes = slice(file, dynamic.offset, dynamic.size)
  const values: { tag: number; value: number }[] = []
  for (let offset = 0; offset + 16 <= bytes.length; offset += 16) {
    const tag = Number(bytes.readBigInt64LE(offset))
    if (tag === 0) break
    values.push({ tag, value: Number(bytes.readBigUInt64LE(offset + 8)) })
  }
  return values
}

function versionNeeds(
  file: Bytes,
  segments: Segment[],
  address: number | undefined,
  count: number,
  string: (offset: number) => string,
): ElfFacts['versionNeeds'] {
  const found: { from: string; version: string }[] = []
  if (address === undefined) return found
  let need = address
  for (let index = 0; index < Math.min(count, 10_000); index++) {
    const record = at(file, segments, need, 16)
    const from = string(record.readUInt32LE(4))
    let aux = need + record.readUInt32LE(8)
    for (let left = record.readUInt16LE(2); left > 0; left--) {
      const entry = at(file, segments, aux, 16)
      found.push({ from, version: string(entry.readUInt32LE(8)) })
      const next = entry.readUInt32LE(12)
      if (next === 0) break
      aux += next
    }
    const next = record.readUInt32LE(12)
    if (next === 0) break
    need += next
  }
  return found
}

function at(file: Bytes, segments: Segment[], address: number, size: number): Buffer {
  const segment = segments.find(
    ({ type, address: start, size: length }) =>
      type === PT.LOAD && address >= start && address + size <= start + length,
  )
  if (!segment) throw new Error('an address lies in no segment')
  return slice(file, segment.offset + (address - segment.address), size)
}

function slice(file: Bytes, offset: number, size: number): Buffer {
  if (offset < 0 || size < 0 || offset + size > file.size) throw new Error('a table lies outside the file')
  const bytes = file.read(offset, size)
  if (bytes.length !== size) throw new Error('the file became shorter while it was read')
  return bytes
}

function zeroEnded(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset)
  if (offset >= bytes.length || end < 0) throw new Error('a name lies outside its table')
  return bytes.toString('utf8', offset, end)
}

function number(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset))
}
