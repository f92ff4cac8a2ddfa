// Plain JavaScript, because a worker thread starts without the loader that reads TypeScript.
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { parentPort } from 'node:worker_threads'
import * as xz from 'xz-decompress'

const { XzReadableStream } = 'default' in xz ? xz.default : xz

/** Answers `{ id, path, start, size, limit }` with `{ id, bytes }` or `{ id, failure }` (see unxz-pool.ts). */
parentPort?.on('message', async ({ id, path, start, size, limit }) => {
  try {
    const bytes = await decompressed(createReadStream(path, { start, end: start + size - 1 }), limit)
    parentPort.postMessage({ id, bytes }, [bytes.buffer])
  } catch (error) {
    parentPort.postMessage({ id, failure: error instanceof Error ? error.message : String(error) })
  }
})

async function decompressed(packed, limit) {
  let bytes = new Uint8Array(1 << 20)
  let length = 0
  for await (const part of new XzReadableStream(Readable.toWeb(packed))) {
    if (length + part.byteLength > limit) throw new Error(`it unpacks to more than ${limit} bytes`)
    if (length + part.byteLength > bytes.byteLength) {
      const larger = new Uint8Array(Math.max(bytes.byteLength * 2, length + part.byteLength))
      larger.set(bytes.subarray(0, length))
      bytes = larger
    }
    bytes.set(part, length)
    length += part.byteLength
  }
  return bytes.slice(0, length)
}
