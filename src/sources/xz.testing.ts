import { crc32 } from 'node:zlib'

/** Packs bytes as xz (the .xz file format 1.1.0) without compressing them: LZMA2 has chunks for that. For tests. */
export function storedXz(content: Uint8Array): Buffer {
  const flags = Buffer.from([0, 1])
  const header = Buffer.concat([Buffer.from('fd377a585a00', 'hex'), flags, sum(flags)])
  const blockHeader = Buffer.from([2, 0, 0x21, 1, 0x12, 0, 0, 0])
  const chunks: Uint8Array[] = []
  for (let at = 0; at < content.byteLength; at += 0x10000) {
    const part = content.subarray(at, at + 0x10000)
    const size = part.byteLength - 1
    chunks.push(Buffer.from([at === 0 ? 1 : 2, size >> 8, size & 0xff]), part)
  }
  const packed = Buffer.concat([...chunks, Buffer.from([0])])
  const block = Buffer.concat([blockHeader, sum(blockHeader), packed])
  const unpadded = block.length + 4
  const index = padded(Buffer.concat([Buffer.from([0, 1]), vli(unpadded), vli(content.byteLength)]))
  const size = Buffer.alloc(4)
  size.writeUInt32LE((index.length + 4) / 4 - 1)
  const tail = Buffer.concat([size, flags])
  const footer = Buffer.concat([sum(tail), tail, Buffer.from('YZ')])
  return Buffer.concat([header, padded(block), sum(content), index, sum(index), footer])
}

function sum(bytes: Uint8Array): Buffer {
  const value = Buffer.alloc(4)
  value.writeUInt32LE(crc32(bytes))
  return value
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}

function vli(value: number): Buffer {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left])
    bytes.push((left % 128) + 128)
  }
}
