import { Readable } from 'node:stream'
import { BLOCK, type TarEntry } from './entry.ts'
import { headerBlocks, padding } from './write-header.ts'

/**
 * Writes entries as a tar stream in the order given, ending with two zero blocks and no further padding.
 * Deterministic: nothing but the entries decides the bytes. Fails if a content has more or fewer bytes than its entry says.
 */
export function packTar(entries: Iterable<TarEntry> | AsyncIterable<TarEntry>): Readable {
  return Readable.from(blocks(entries), { objectMode: false, highWaterMark: 1 << 20 })
}

/** Small headers and contents are gathered to chunks of this size, so that many small files do not cost a chunk each. */
const GATHER = 1 << 18

async function* blocks(entries: Iterable<TarEntry> | AsyncIterable<TarEntry>): AsyncGenerator<Buffer> {
  let gathered: Uint8Array[] = []
  let length = 0
  const flush = () => {
    const chunk = Buffer.concat(gathered)
    gathered = []
    length = 0
    return chunk
  }
  for await (const entry of entries) {
    gathered.push(headerBlocks(entry))
    length += BLOCK
    let written = 0
    for await (const chunk of contentOf(entry)) {
      written += chunk.byteLength
      if (written > entry.size) throw changed(entry, written)
      gathered.push(chunk)
      length += chunk.byteLength
      if (length >= GATHER) yield flush()
    }
    if (written !== entry.size) throw changed(entry, written)
    gathered.push(Buffer.alloc(padding(entry.size)))
    length += padding(entry.size)
    if (length >= GATHER) yield flush()
  }
  gathered.push(Buffer.alloc(2 * BLOCK))
  yield flush()
}

async function* contentOf(entry: TarEntry): AsyncGenerator<Uint8Array> {
  if (entry.content === undefined) return
  if (entry.content instanceof Uint8Array) yield entry.content
  else yield* await entry.content()
}

function changed(entry: TarEntry, written: number): Error {
  return new Error(
    `${entry.name.toString()} changed while it was read: ${written} bytes came, ${entry.size} were announced`,
  )
}
