import { open } from 'node:fs/promises'
import { join } from 'node:path'

const HEADER = 28
const MAGIC = 0xcafedada
const EXTENSION = 4

/**
 * Counts the classes of a Java runtime: the entries of `lib/modules` whose extension is `class`. The file is a jimage (OpenJDK's
 * `ImageHeader`): seven integers, a table of redirects and one of offsets, attributes of each entry, then all names.
 */
export async function countClasses(javaHome: string): Promise<number> {
  const file = await open(join(javaHome, 'lib', 'modules'))
  try {
    const read = async (length: number, position: number) => {
      const bytes = Buffer.alloc(length)
      await file.read(bytes, 0, length, position)
      return bytes
    }
    const header = await read(HEADER, 0)
    if (header.readUInt32LE(0) !== MAGIC) throw new Error(`${javaHome}/lib/modules is not a jimage`)
    const [entries, locations, names] = [16, 20, 24].map(at => header.readUInt32LE(at)) as [
      number,
      number,
      number,
    ]
    const index = await read(entries * 8 + locations + names, HEADER)
    return countIn(index, entries, locations)
  } finally {
    await file.close()
  }
}

function countIn(index: Buffer, entries: number, locations: number): number {
  const attributes = index.subarray(entries * 8, entries * 8 + locations)
  const strings = index.subarray(entries * 8 + locations)
  let count = 0
  for (let entry = 0; entry < entries; entry++) {
    const at = extensionAt(attributes, index.readUInt32LE(entries * 4 + entry * 4))
    if (at > 0 && strings.toString('latin1', at, at + 6) === 'class\0') count++
  }
  return count
}

/** Where the extension of an entry stands among the names: each attribute is a byte of kind and length, and a number. */
function extensionAt(attributes: Buffer, start: number): number {
  for (let at = start; at < attributes.length; ) {
    const byte = attributes[at] ?? 0
    const kind = byte >> 3
    const length = (byte & 7) + 1
    if (kind === 0) return 0
    if (kind === EXTENSION)
      return attributes.subarray(at + 1, at + 1 + length).reduce((sum, each) => sum * 256 + each, 0)
    at += 1 + length
  }
  return 0
}
