import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { unxz } from './unxz.ts'
import { storedXz } from './xz.testing.ts'

describe('unxz', () => {
  const content = randomBytes(300_000)
  const packed = storedXz(content)
  const pieces = () =>
    Readable.from(Array.from({ length: 40 }, (_, at) => packed.subarray(at << 13, (at + 1) << 13)))

  it('gives back what was packed', async () => {
    const parts: Uint8Array[] = []
    for await (const part of unxz(pieces())) parts.push(part)
    assert.ok(Buffer.concat(parts).equals(content))
  })

  it('can be given up anywhere, and the next goes on', async () => {
    for (const most of [1, 2, 3, 4]) {
      let read = 0
      const source = pieces()
      for await (const part of unxz(source)) {
        assert.ok(part.byteLength > 0)
        if (++read === most) break
      }
      assert.equal(source.destroyed, true)
    }
  })
})
