import type { Readable } from 'node:stream'

/** Decompresses xz. Throws an `Error` that says so where the bytes are damaged or end early. */
export async function* unxz(bytes: Readable): AsyncGenerator<Uint8Array> {
  // Loaded only now: it brings web streams with it, which most commands have no use for.
  const xz = await import('xz-decompress')
  // The library is a CommonJS module, which Node.js and bundlers hand over in two ways.
  const { XzReadableStream } = 'default' in xz ? (xz.default as typeof xz) : xz
  const reader = new XzReadableStream(webStreamOf(bytes)).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(cause => {
        // What the source itself failed with counts more than what the library made of it.
        throw bytes.errored ?? new Error('its compressed data is damaged', { cause })
      })
      if (done) return
      // The library hands out a view on memory that it will use again.
      yield Buffer.from(value)
    }
  } finally {
    // The library works on one stream at a time: one that is given up must be let go, or the next waits forever.
    await reader.cancel().catch(() => {})
    bytes.destroy()
  }
}

/** Node's own way from one kind of stream to the other stumbles, or waits for good, where reading is given up in the middle. */
function webStreamOf(bytes: Readable): ReadableStream {
  const source = bytes.iterator({ destroyOnReturn: false })
  let givenUp = false
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await source.next()
        if (givenUp) return
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel() {
        givenUp = true
      },
    },
    { highWaterMark: 0 },
  )
}
