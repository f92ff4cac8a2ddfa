import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { digestOf } from '#std'
import { noise, temporaryStore } from '../oci.testing.ts'

async function* of(...parts: Uint8Array[]) {
  yield* parts
}

describe('Blobs', () => {
  it('keeps a stream under the digest of its bytes', async () => {
    await using place = await temporaryStore()
    const { blobs } = place.store
    const bytes = noise(300_000)
    const digest = digestOf(bytes)
    assert.deepEqual(await blobs.stream(of(bytes.subarray(0, 7), bytes.subarray(7))), {
      digest,
      size: bytes.length,
    })
    assert.ok((await blobs.read(digest)).equals(bytes))
    assert.equal(await blobs.size(digest), bytes.length)
    assert.equal(await blobs.size(digestOf('nothing')), undefined)
  })

  it('keeps nothing of bytes that are not those expected: others, more or fewer', async () => {
    await using place = await temporaryStore()
    const { blobs } = place.store
    const bytes = Buffer.from('expected')
    const expected = { digest: digestOf(bytes), size: bytes.length }
    for (const sent of ['expecteD', 'expected and more', 'exp']) {
      await assert.rejects(blobs.stream(of(Buffer.from(sent)), expected), { code: 'BLOB_DAMAGED' }, sent)
    }
    assert.deepEqual(await readdir(join(place.store.root, 'blobs/sha256')), [])
    assert.deepEqual(await readdir(join(place.store.root, '.slipway/staging')), [])
  })

  it('stops reading a sender that sends without end', async () => {
    await using place = await temporaryStore()
    let sent = 0
    const endless = (async function* () {
      for (;;) {
        sent += 1
        yield Buffer.alloc(1000)
      }
    })()
    await assert.rejects(place.store.blobs.stream(endless, { digest: digestOf('x'), size: 5000 }), {
      code: 'BLOB_DAMAGED',
    })
    assert.ok(sent < 10)
  })

  it('leaves nothing behind when the source fails', async () => {
    await using place = await temporaryStore()
    const failing = (async function* () {
      yield Buffer.from('half')
      throw new Error('the network is gone')
    })()
    await assert.rejects(place.store.blobs.stream(failing), /the network is gone/)
    assert.deepEqual(await readdir(join(place.store.root, '.slipway/staging')), [])
  })

  it('notices content that the disk altered', async () => {
    await using place = await temporaryStore()
    const { blobs } = place.store
    const digest = await blobs.add(Buffer.from('true'))
    await writeFile(blobs.path(digest), 'lies')
    await assert.rejects(blobs.read(digest), { code: 'BLOB_DAMAGED' })
  })
})
