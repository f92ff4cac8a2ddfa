import { crc32 } from 'node:zlib'

/** An entry of a zip for tests: a name, its content, and Unix mode bits (file type included). */
export type Planned = readonly [name: string, content: string | Uint8Array, unix?: number]

/** A zip file with stored entries, just as its names are: also such as no honest archive has. */
export function zipOf(entries: readonly Planned[]): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let position = 0
  for (const [name, bytes, unix = 0o100644] of entries) {
    const [title, content] = [Buffer.from(name), Buffer.from(bytes)]
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(title.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt8(3, 5)
    central.writeUInt32LE(crc32(content), 16)
    central.writeUInt32LE(content.length, 20)
    central.writeUInt32LE(content.length, 24)
    central.writeUInt16LE(title.length, 28)
    central.writeUInt32LE((unix << 16) >>> 0, 38)
    central.writeUInt32LE(position, 42)
    bodies.push(local, title, content)
    directory.push(central, title)
    position += 30 + title.length + content.length
  }
  const table = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(table.length, 12)
  end.writeUInt32LE(position, 16)
  return Buffer.concat([...bodies, table, end])
}
