import { PassThrough, pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Digest } from '#std'
import type { Descriptor } from '../descriptor.ts'
import type { Layer } from '../image.ts'
import { compressionOf } from '../media-types.ts'
import { layerUnsupported } from '../problems.ts'

/** A layer over packed bytes that can be opened, its packing as the descriptor's media type says. */
export function packedLayer(diffId: Digest, blob: Descriptor, open: () => Readable): Layer {
  const compression = compressionOf(blob.mediaType)
  return {
    diffId,
    blob,
    compressed: async () => open(),
    uncompressed: async () => {
      if (compression === 'none') return open()
      if (compression !== 'gzip') throw layerUnsupported(blob.mediaType)
      return gunzip(open())
    },
  }
}

/** Unpacks a gzip stream; a failure of either side reaches the reader. */
export function gunzip(packed: Readable): Readable {
  return pipeline(packed, createGunzip({ chunkSize: 1 << 17 }), new PassThrough(), () => {})
}
