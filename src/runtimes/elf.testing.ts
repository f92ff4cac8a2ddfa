/** What a made-up ELF file shall say. */
export interface PlannedElf {
  readonly needed?: readonly string[]
  readonly soname?: string
  readonly runpath?: string
  readonly versions?: readonly (readonly [from: string, version: string])[]
  readonly machine?: number
}

/** A tiny 64-bit shared object: one segment, a dynamic section, names, version needs. */
export function elf(planned: PlannedElf = {}): Buffer {
  const strings: Buffer[] = [Buffer.from('\0')]
  const name = (text: string): number => {
    const offset = strings.reduce((sum, part) => sum + part.length, 0)
    strings.push(Buffer.from(`${text}\0`))
    return offset
  }
  const needs = (planned.versions ?? []).map(([from, version]) => [name(from), name(version)] as const)
  const tags: [number, number][] = (planned.needed ?? []).map(text => [1, name(text)])
  if (planned.soname) tags.push([14, name(planned.soname)])
  if (planned.runpath) tags.push([29, name(planned.runpath)])
  const table = Buffer.concat(strings)
  const verneed = Buffer.concat(
    needs.map(([from, version], index) => {
      const record = Buffer.alloc(32)
      record.writeUInt16LE(1, 0)
      record.writeUInt16LE(1, 2)
      record.writeUInt32LE(from, 4)
      record.writeUInt32LE(16, 8)
      record.writeUInt32LE(index === needs.length - 1 ? 0 : 32, 12)
      record.writeUInt32LE(version, 16 + 8)
      return record
    }),
  )
  const start = 64 + 2 * 56
  const dynamicSize = (tags.length + 5) * 16
  const tableAt = start + dynamicSize
  const verneedAt = tableAt + table.length
  tags.push([5, tableAt], [10, table.length])
  if (needs.length > 0) tags.push([0x6ffffffe, verneedAt], [0x6fffffff, needs.length])
  const dynamic = Buffer.alloc(dynamicSize)
  for (const [index, [tag, value]] of tags.entries()) {
    dynamic.writeBigUInt64LE(BigInt(tag), index * 16)
    dynamic.writeBigUInt64LE(BigInt(value), index * 16 + 8)
  }
  const total = verneedAt + verneed.length
  const header = Buffer.alloc(64)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(3, 16)
  header.writeUInt16LE(planned.machine ?? 62, 18)
  header.writeBigUInt64LE(64n, 32)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(2, 56)
  return Buffer.concat([
    header,
    segment(1, 0, total),
    segment(2, start, dynamicSize),
    dynamic,
    table,
    verneed,
  ])
}

function segment(type: number, offset: number, size: number): Buffer {
  const header = Buffer.alloc(56)
  header.writeUInt32LE(type, 0)
  for (const [at, value] of [
    [8, offset],
    [16, offset],
    [24, offset],
    [32, size],
    [40, size],
  ] as const) {
    header.writeBigUInt64LE(BigInt(value), at)
  }
  return header
}
