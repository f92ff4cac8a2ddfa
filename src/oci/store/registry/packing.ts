import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream'
import { type Digest, Digesting } from '#std'
import type { Descriptor } from '../../descriptor.ts'
import { OCI } from '../../media-types.ts'
import { layerDiffers } from '../../problems.ts'
import { gzip } from '../gzip.ts'
import type { Packed } from './upload.ts'

/** A layer that is packed while it is sent. */
export interface Packing extends Packed {
  /** What it became, once one stream has been read to its end. */
  result(): { readonly diffId: Digest; readonly blob: Descriptor }
}

/** Hashes, compresses and hashes again what `open` gives, in one pass. A stream ends in a `Problem` (`LAYER_DIFFERS`) where the tar is not the one that was expected. */
export function packTarWhileSent(
  open: () => AsyncIterable<Uint8Array>,
  expected: Digest | undefined,
): Packing {
  let last: { diffId: Digest; blob: Descriptor } | undefined
  const stream = async function* () {
    const plain = new Digesting()
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of gzip(pipeline(open(), plain, () => {}) as unknown as Digesting)) {
      hash.update(chunk)
      size += chunk.byteLength
      yield chunk
    }
    const diffId = plain.digest()
    if (expected && diffId !== expected) throw layerDiffers(expected, diffId)
    const digest = `sha256:${hash.digest('hex')}` as Digest
    last = { diffId, blob: { mediaType: OCI.layer, digest, size } }
  }
  const result = () => {
    if (!last) throw new Error('the layer has not been read to its end')
    return last
  }
  return { open: stream, result, digest: () => result().blob.digest }
}

/** Packed layers up to this size are finished before they are sent. */
const SMALL = 1 << 18

/**
 * What to upload of a layer: a small one as bytes whose digest is known, which takes one request less; a larger one goes on from what has been packed of it, and is packed anew where an upload starts
 * over. To be disposed when the upload has ended, however it did.
 */
export async function smallOrStreamed(packing: Packing): Promise<Packed & AsyncDisposable> {
  const stream = packing.open()[Symbol.asyncIterator]()
  const begun: Uint8Array[] = []
  let size = 0
  while (size <= SMALL) {
    const next = await stream.next()
    if (next.done) {
      const bytes = Buffer.concat(begun)
      const { digest } = packing.result().blob
      return {
        open: () => once(bytes),
        known: { digest, size },
        digest: () => digest,
        async [Symbol.asyncDispose]() {},
      }
    }
    begun.push(next.value)
    size += next.value.byteLength
  }
  let first = true
  return {
    digest: () => packing.digest(),
    open: () => {
      if (!first) return packing.open()
      first = false
      return goneOn(begun, stream)
    },
    async [Symbol.asyncDispose]() {
      await stream.return?.()
    },
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function* goneOn(
  begun: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* begun
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}
