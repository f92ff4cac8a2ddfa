import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { temporaryStore, writeAppImage } from './app-image.testing.ts'
import { listImages } from './list-images.ts'
import { removeImages } from './remove-images.ts'

describe('listImages', () => {
  it('lists names with size, time and base, and goes on past a damaged image', async () => {
    await using place = await temporaryStore()
    const { store } = place
    assert.deepEqual(await listImages(store), [])
    const image = await writeAppImage(store)
    const layers = new Map(image.layers.map(({ blob }) => [blob.digest, blob.size]))
    const size = [...layers.values()].reduce(
      (total, each) => total + each,
      image.manifestSize + image.configSize,
    )
    const summary = {
      digest: image.digest,
      size,
      created: '1980-01-01T00:00:01Z',
      base: 'registry.example/run:noble',
    }
    await store.tag('shop', 'copy')
    assert.deepEqual(await listImages(store), [
      { name: 'copy:latest', ...summary },
      { name: 'shop:latest', ...summary },
    ])
    await writeFile(store.blobs.path(image.configDigest), '{}')
    const [damaged] = await listImages(store)
    assert.deepEqual([damaged?.size, damaged?.digest], [undefined, image.digest])
    assert.match(damaged?.damage ?? '', /not those that the digest names/)
  })
})

describe('removeImages', () => {
  it('removes all names or none, unless told to be lenient', async () => {
    await using place = await temporaryStore()
    const { store } = place
    await writeAppImage(store)
    await assert.rejects(removeImages(store, ['shop', 'nothing'], false), {
      code: 'IMAGE_MISSING',
      exitCode: 3,
    })
    assert.equal((await store.list()).length, 1)
    assert.deepEqual(await removeImages(store, ['shop', 'nothing'], true), ['shop:latest'])
    await assert.rejects(removeImages(store, [], true), { code: 'NO_NAMES' })
  })
})
