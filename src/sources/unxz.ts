import { Readable } from 'node:stream'
import * as xz from 'xz-decompress'

/** The library is a CommonJS module, which Node.js and bundlers hand over in two ways. */
const { XzReadableStream } = 'default' in xz ? (xz.default as typeof xz) : xz

/** Decompresses xz. */
export async function* unxz(bytes: Readable): AsyncGenerator<Uint8Array> {
  const reader = new XzReadableStream(Readable.toWeb(bytes) as ReadableStream).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    // The library hands out a view on memory that it will use again.
    yield Buffer.from(value)
  }
}
