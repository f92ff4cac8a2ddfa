import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { readAll } from '#std'
import { noise } from '../oci.testing.ts'
import { gzip } from './gzip.ts'

async function* chunks(bytes: Buffer, step: number) {
  for (let offset = 0; offset < bytes.length; offset += step) yield bytes.subarray(offset, offset + step)
}

const packed = (bytes: Buffer, step = bytes.length) => readAll(gzip(chunks(bytes, Math.max(1, step))))

describe('gzip', () => {
  const samples = {
    empty: Buffer.alloc(0),
    short: Buffer.from('hello'),
    'one block exactly': noise(1 << 20),
    'one block and a byte': noise((1 << 20) + 1, 7),
    'nine blocks of little': Buffer.concat(
      Array.from({ length: 9 }, (_, index) => Buffer.alloc(1 << 20, index)),
    ),
  }

  it('unpacks to what was packed', async () => {
    for (const [name, bytes] of Object.entries(samples))
      assert.ok(gunzipSync(await packed(bytes)).equals(bytes), name)
  })

  it('gives the same bytes however its input was cut', async () => {
    for (const bytes of Object.values(samples)) {
      const whole = await packed(bytes)
      for (const step of [4096, (1 << 20) - 1, (1 << 20) + 1])
        assert.ok((await packed(bytes, step)).equals(whole))
    }
  })

  it('writes a header without time, name or operating system', async () => {
    assert.equal((await packed(samples.short)).subarray(0, 10).toString('hex'), '1f8b08000000000000ff')
  })

  it('finds what a block has in common with the one before', async () => {
    const repeated = Buffer.concat([noise(1 << 20), noise(1 << 20).subarray(-30_000)])
    const alone = await packed(noise(1 << 20))
    assert.ok((await packed(repeated)).length - alone.length < 1000)
  })

  it('satisfies the gzip program', async context => {
    const answer = spawnSync('gzip', ['-t'], { input: await packed(samples['nine blocks of little']) })
    if (answer.error) return context.skip('there is no gzip program here')
    assert.equal(answer.status, 0, answer.stderr.toString())
  })

  it('fails as its source fails', async () => {
    const broken = (async function* () {
      yield noise(3 << 20)
      throw new Error('the disk is gone')
    })()
    await assert.rejects(readAll(gzip(broken)), /the disk is gone/)
  })
})
