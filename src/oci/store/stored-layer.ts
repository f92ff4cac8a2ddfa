import { PassThrough, pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Digest, isSystemError } from '#std'
import type { Descriptor } from '../descriptor.ts'
import type { Layer } from '../image.ts'
import { compressionOf } from '../media-types.ts'
import { layerDamaged, layerUnsupported } from '../problems.ts'
import { unzstd } from './zstd.ts'

/** A layer over packed bytes that can be opened, its packing as the descriptor's media type says. */
export function packedLayer(diffId: Digest, blob: Descriptor, open: () => Readable): Layer {
  const compression = compressionOf(blob.mediaType)
  return {
    diffId,
    blob,
    compressed: async () => open(),
    uncompressed: async () => {
      if (compression === 'none') return open()
      if (compression === 'zstd') return unzstd(open(), blob.digest)
      if (compression !== 'gzip') throw layerUnsupported(blob.mediaType)
      return gunzip(open(), blob.digest)
    },
  }
}

/** Unpacks a gzip stream; a failure of either side reaches the reader, one of the packing as a `Problem` (`LAYER_DAMAGED`). */
function gunzip(packed: Readable, digest: Digest): Readable {
  const plain = new PassThrough({
    destroy: (error, done) =>
      done(isSystemError(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR') ? layerDamaged(digest, error) : error),
  })
  return pipeline(packed, createGunzip({ chunkSize: 1 << 17 }), plain, () => {})
}
