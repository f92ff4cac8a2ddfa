import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { digestOf, readAll } from '#std'
import { noise } from '../oci.testing.ts'
import { unzstd } from './zstd.ts'

const HELLO = Buffer.from('KLUv/QRYMQAAaGVsbG8KU4i9kQ==', 'base64')
const digest = digestOf(HELLO)
const unpack = (bytes: Uint8Array, size = bytes.length) => {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )
  return readAll(unzstd(Readable.from(chunks), digest))
}

function zstd(bytes: Uint8Array, ...words: string[]): Buffer | undefined {
  try {
    return execFileSync('zstd', ['-q', '-c', ...words], {
      input: bytes,
      maxBuffer: 1 << 28,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
  } catch {
    return undefined
  }
}

describe('zstd', () => {
  it('unpacks what comes in pieces of any size', async () => {
    for (const size of [1, 3, 100]) assert.equal((await unpack(HELLO, size)).toString(), 'hello\n')
  })

  it('unpacks several frames, and skips those that are to be skipped', async () => {
    const skipped = Buffer.from('502a4d1803000000aabbcc', 'hex')
    assert.equal((await unpack(Buffer.concat([HELLO, skipped, HELLO, skipped]))).toString(), 'hello\nhello\n')
  })

  it('unpacks what the reference program packs', async t => {
    const plain = Buffer.concat([noise(500_000), Buffer.alloc(1_000_000), noise(200_000, 7)])
    for (const words of [['-1'], ['-19', '--long=24']]) {
      const packed = zstd(plain, ...words)
      if (!packed) return t.skip('there is no zstd on this machine')
      assert.ok((await unpack(packed, 70_000)).equals(plain))
    }
  })

  it('refuses damaged and cut streams, and windows of gigabytes', async () => {
    const refused = { code: 'LAYER_DAMAGED' }
    await assert.rejects(unpack(HELLO.subarray(0, 10)), refused)
    await assert.rejects(unpack(Buffer.from('no stream of that kind at all')), refused)
    await assert.rejects(unpack(Buffer.from('28b52ffd00f8000000', 'hex')), refused)
  })

  it('hands on what goes wrong with reading', async () => {
    const broken = Readable.from(
      (async function* () {
        yield HELLO.subarray(0, 8)
        throw Object.assign(new Error('gone'), { code: 'EIO' })
      })(),
    )
    await assert.rejects(readAll(unzstd(broken, digest)), /gone/)
  })
})
