import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { describeBytes } from '../descriptor.ts'
import type { Layer } from '../image.ts'
import { OCI } from '../media-types.ts'
import { imageOf, layerOf, temporaryStore } from '../oci.testing.ts'

describe('LayoutStore.gc', () => {
  it('deletes what no name reaches, and nothing else', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const kept = await store.write(await imageOf(store, { shared: '1' }, { a: '1' }), ['kept'])
    const gone = await store.write(await imageOf(store, { shared: '1' }, { b: '1' }), ['gone'])
    await store.remove(['gone'])
    const { blobs, bytes, running } = await store.gc()
    const [, own] = gone.layers as [Layer, Layer]
    assert.deepEqual({ blobs, running }, { blobs: 3, running: 0 })
    assert.equal(bytes, own.blob.size + gone.manifestSize + gone.configSize)
    assert.equal(await store.layerByDiffId(own.diffId), undefined)
    assert.equal((await store.image('kept'))?.digest, kept.digest)
    for (const layer of kept.layers) assert.ok(await store.layerByDiffId(layer.diffId))
    assert.deepEqual(await store.gc(), { blobs: 0, bytes: 0, running: 0 })
  })

  it('deletes nothing while a build relies on the store', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const layer = await store.addLayer(() => layerOf({ a: '1' }))
    {
      await using _ = await store.lease()
      assert.deepEqual(await store.gc(), { blobs: 0, bytes: 0, running: 1 })
      assert.ok(await store.layerByDiffId(layer.diffId))
    }
    assert.equal((await store.gc()).blobs, 1)
  })

  it('forgets leases and half-written files of processes that have died', async () => {
    await using place = await temporaryStore()
    const { store } = place
    await store.addLayer(() => layerOf({ a: '1' }))
    await (await store.lease())[Symbol.asyncDispose]()
    await writeFile(join(store.root, '.slipway/leases/dead'), '999999999 1')
    await writeFile(join(store.root, '.slipway/staging/999999999-1-abc'), 'half')
    assert.equal((await store.gc()).blobs, 1)
    assert.deepEqual(await readdir(join(store.root, '.slipway/leases')), [])
    assert.deepEqual(await readdir(join(store.root, '.slipway/staging')), [])
  })

  it('keeps what an index of several platforms needs', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const image = await store.write(await imageOf(store, { a: '1' }), [])
    const manifest = { mediaType: OCI.manifest, digest: image.digest, size: image.manifestSize }
    const nested = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: OCI.index, manifests: [manifest] }),
    )
    await store.blobs.add(nested)
    const top = describeBytes(OCI.index, nested)
    await writeFile(join(store.root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [top] }))
    assert.equal((await store.gc()).blobs, 0)
    assert.ok(await store.image(image.digest))
  })

  it('deletes nothing where the index cannot be read', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const layer = await store.addLayer(() => layerOf({ a: '1' }))
    await writeFile(join(store.root, 'index.json'), '{"schemaVersion":2,')
    await assert.rejects(store.gc(), { code: 'JSON_MALFORMED' })
    assert.ok(await store.layerByDiffId(layer.diffId))
  })
})
