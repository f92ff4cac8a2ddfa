import { pipeline, Readable, type Transform } from 'node:stream'
import zlib from 'node:zlib'
import { type Digest, Problem } from '#std'
import { layerDamaged } from '../problems.ts'

/** Windows larger than this are refused, as by `zstd -d`: each is memory. */
const LARGEST_WINDOW = 2 ** 27

/**
 * Unpacks a Zstandard stream (RFC 8878): with Node.js's own decoder where it has one (from 22.15 on), else with one in JavaScript, which is loaded when it is first needed and about ten times
 * as slow. Checksums of the stream are not looked at; the digests of layers are. Ends in a `Problem` (`LAYER_DAMAGED`).
 */
export function unzstd(packed: Readable, digest: Digest): Readable {
  return Readable.from(unpacked(packed, digest), { objectMode: false, highWaterMark: 1 << 17 })
}

async function* unpacked(packed: Readable, digest: Digest): AsyncGenerator<Uint8Array> {
  const native = (zlib as { createZstdDecompress?: () => Transform }).createZstdDecompress
  try {
    if (native) yield* pipeline(packed, native(), () => {}) as unknown as AsyncIterable<Uint8Array>
    else yield* inJavaScript(packed)
  } catch (error) {
    // Reading on after a failure of the decoder ends the source too, with an error that says nothing.
    if (error === packed.errored || error instanceof Problem) throw error
    throw layerDamaged(digest, error)
  } finally {
    packed.destroy()
  }
}

async function* inJavaScript(packed: Readable): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd')
  const parts: Uint8Array[] = []
  const decoder = new Decompress(part => void (part.byteLength > 0 && parts.push(part)))
  let first: Uint8Array = new Uint8Array()
  for await (const chunk of packed as AsyncIterable<Uint8Array>) {
    if (first.byteLength < 6) {
      first = Buffer.concat([first, chunk])
      checkWindow(first)
    }
    decoder.push(chunk)
    yield* parts.splice(0)
  }
  decoder.push(new Uint8Array(), true)
  yield* parts
}

/** Looks at the window that the header of the first frame asks for (RFC 8878, 3.1.1.1.2). */
function checkWindow(start: Uint8Array): void {
  const [, , , , flags = 0, window = 0] = start
  if (start.byteLength < 6 || Buffer.from(start.subarray(0, 4)).readUInt32LE() !== 0xfd2fb528 || flags & 0x20)
    return
  const base = 2 ** (10 + (window >> 3))
  if (base + (base / 8) * (window & 7) > LARGEST_WINDOW)
    throw new Error('it asks for a window of more than 128 MiB')
}
