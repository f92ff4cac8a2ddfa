import assert from 'node:assert/strict'
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { digestOf, hexOf, readAll } from '#std'
import { emptyImage, type Layer } from '../image.ts'
import { OCI } from '../media-types.ts'
import { imageOf, layerOf, noise, temporaryStore } from '../oci.testing.ts'
import { openLayout } from './layout.ts'
import { packedLayer } from './stored-layer.ts'

describe('LayoutStore', () => {
  it('gives back the image that was written, by each of its names and by digest', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const written = await store.write(await imageOf(store, { a: '1' }, { b: noise(2 << 20) }), [
      'shop',
      'team/shop:1',
    ])
    for (const name of ['shop', 'shop:latest', 'team/shop:1', written.digest]) {
      const found = await store.image(name)
      assert.equal(found?.digest, written.digest)
      assert.deepEqual(found?.config, written.config)
    }
    const [, second] = (await store.image('shop'))?.layers ?? []
    const tar = await readAll(await (second as Layer).uncompressed())
    assert.equal(digestOf(tar), second?.diffId)
    assert.equal(await store.image('other'), undefined)
    assert.equal(await store.image(digestOf('other')), undefined)
  })

  it('is an image layout: version, index sorted by name, blobs by digest, each name once', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const one = await store.write(await imageOf(store, { a: '1' }), ['b', 'a'])
    const two = await store.write(await imageOf(store, { a: '2' }), ['a'])
    assert.equal(await readFile(join(store.root, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}')
    const index = JSON.parse(await readFile(join(store.root, 'index.json'), 'utf8'))
    assert.equal(index.mediaType, OCI.index)
    assert.deepEqual(
      index.manifests.map((each: { digest: string; annotations: object }) => [
        each.digest,
        ...Object.values(each.annotations),
      ]),
      [
        [two.digest, 'a:latest'],
        [one.digest, 'b:latest'],
      ],
    )
    assert.equal(digestOf(await readFile(join(store.root, 'blobs/sha256', hexOf(one.digest)))), one.digest)
  })

  it('makes the same image of the same contents, in another store too', async () => {
    await using one = await temporaryStore()
    await using two = await temporaryStore()
    const files = [{ a: '1' }, { b: noise(3 << 20) }]
    const first = await one.store.write(await imageOf(one.store, ...files), ['x'])
    const second = await two.store.write(await imageOf(two.store, ...files), ['y'])
    assert.equal(first.digest, second.digest)
  })

  it('knows a layer by the digest of its plain tar, and forgets it with its blob', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const layer = await store.addLayer(() => layerOf({ a: '1' }))
    assert.deepEqual((await store.layerByDiffId(layer.diffId))?.blob, layer.blob)
    await rm(store.blobs.path(layer.blob.digest))
    assert.equal(await store.layerByDiffId(layer.diffId), undefined)
    assert.equal(await store.layerByDiffId(digestOf('other')), undefined)
  })

  it('takes a damaged memory of diffIDs for none', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const { diffId } = await store.addLayer(() => layerOf({ a: '1' }))
    await writeFile(join(store.root, '.slipway/diff-ids', hexOf(diffId)), '{"mediaType":"x","dig')
    assert.equal(await store.layerByDiffId(diffId), undefined)
  })

  it('gives another name by name or digest, and takes names away without touching contents', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const { digest } = await store.write(await imageOf(store, { a: '1' }), ['shop'])
    assert.equal(await store.tag('shop', 'copy'), true)
    assert.equal(await store.tag(digest, 'third:1'), true)
    assert.equal(await store.tag('nothing', 'x'), false)
    assert.deepEqual(
      (await store.list()).map(({ name }) => name),
      ['copy:latest', 'shop:latest', 'third:1'],
    )
    assert.deepEqual(await store.remove(['shop', 'nothing']), ['shop:latest'])
    assert.equal((await store.image('copy'))?.digest, digest)
  })

  it('writes no image whose layers are not all here', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const image = await imageOf(store, { a: '1' })
    await rm(store.blobs.path((image.layers[0] as Layer).blob.digest))
    await assert.rejects(store.write(image, ['shop']), { code: 'BLOB_MISSING' })
    assert.deepEqual(await store.list(), [])
  })

  it('says what is missing or damaged of an image', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const image = await store.write(await imageOf(store, { a: '1' }), ['shop'])
    const manifest = await readFile(store.blobs.path(image.digest))
    await writeFile(store.blobs.path(image.digest), Buffer.from(manifest.toString().replace('{', ' ')))
    await assert.rejects(store.image('shop'), { code: 'BLOB_DAMAGED' })
    await rm(store.blobs.path(image.digest))
    await assert.rejects(store.image('shop'), { code: 'BLOB_MISSING' })
    await writeFile(store.blobs.path(image.digest), manifest)
    await rm(store.blobs.path(image.configDigest))
    await assert.rejects(store.image('shop'), { code: 'BLOB_MISSING' })
  })

  it('refuses manifests and indices of a size that none has, unread', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const image = await store.write(await imageOf(store, { a: '1' }), ['shop'])
    await truncate(store.blobs.path(image.digest), 20 * 2 ** 30)
    await assert.rejects(store.image('shop'), { code: 'DOCUMENT_TOO_LARGE' })
    await truncate(join(store.root, 'index.json'), 20 * 2 ** 30)
    await assert.rejects(store.list(), { code: 'DOCUMENT_TOO_LARGE' })
  })

  it('refuses an image whose layers and diffIDs do not match', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const image = await imageOf(store, { a: '1' })
    const lying = { ...image, config: { ...image.config, rootfs: { type: 'layers' as const, diff_ids: [] } } }
    await store.write(lying, ['shop'])
    await assert.rejects(store.image('shop'), { code: 'LAYOUT_UNUSABLE', why: /1 layers and 0 diffIDs/ })
  })

  it('refuses a directory that is no layout of version 1.0.0, an index that is none, and a file', async () => {
    await using place = await temporaryStore()
    const { store } = place
    await mkdir(store.root)
    await writeFile(join(store.root, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
    await assert.rejects(store.write(emptyImage('linux', 'amd64'), ['x']), { code: 'LAYOUT_UNUSABLE' })
    await writeFile(join(store.root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    for (const [text, code] of [
      ['{', 'JSON_MALFORMED'],
      ['{"schemaVersion":2}', 'DOCUMENT_INVALID'],
      [
        '{"schemaVersion":2,"manifests":[{"digest":"sha256:../x","mediaType":"x","size":1}]}',
        'DOCUMENT_INVALID',
      ],
    ] as const) {
      await writeFile(join(store.root, 'index.json'), text)
      await assert.rejects(store.list(), { code })
    }
    const file = join(place.path, 'file')
    await writeFile(file, '')
    await assert.rejects(openLayout(file).write(emptyImage('linux', 'amd64'), ['x']), {
      code: 'LAYOUT_UNUSABLE',
    })
  })

  it('never shows an image that is not wholly there while many are written at once', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const names = Array.from({ length: 12 }, (_, index) => `shop:${index}`)
    const seen = new Set<string>()
    let ended = false
    const reader = (async () => {
      while (!ended) {
        for (const { name } of await store.list()) {
          assert.ok(await store.image(name))
          seen.add(name)
        }
      }
    })()
    await Promise.all(
      names.map(async (name, index) => store.write(await imageOf(store, { a: String(index) }), [name])),
    )
    ended = true
    await reader
    assert.deepEqual(
      (await store.list()).map(({ name }) => name),
      names.toSorted(),
    )
  })
})

describe('LayoutStore.importLayer', () => {
  it('takes over a layer, packed as it is, and reads it through only once', async () => {
    await using one = await temporaryStore()
    await using two = await temporaryStore()
    const layer = await one.store.addLayer(() => layerOf({ a: noise(100_000) }))
    assert.deepEqual((await two.store.importLayer(layer)).blob, layer.blob)
    const unread = { ...layer, compressed: () => assert.fail('it was read again') }
    assert.deepEqual((await two.store.importLayer(unread)).blob, layer.blob)
  })

  it('does not let the packing of others into the images that are made here', async () => {
    await using place = await temporaryStore()
    const { store } = place
    const tar = await readAll(layerOf({ a: noise(100_000) }))
    const packed = gzipSync(tar, { level: 1 })
    const blob = { mediaType: OCI.layer, digest: digestOf(packed), size: packed.length }
    const theirs = {
      diffId: digestOf(tar),
      blob,
      compressed: async () => Readable.from([packed]),
      uncompressed: () => assert.fail(),
    }
    await store.importLayer(theirs)
    assert.equal(await store.layerByDiffId(theirs.diffId), undefined)
    const ours = await store.addLayer(() => Readable.from([tar]))
    await store.importLayer(theirs)
    assert.deepEqual((await store.layerByDiffId(theirs.diffId))?.blob, ours.blob)
  })

  it('refuses a layer that unpacks to something else, and does not lose the true one', async () => {
    await using one = await temporaryStore()
    await using two = await temporaryStore()
    const layer = await one.store.addLayer(() => layerOf({ a: '1' }))
    const honest = await two.store.write(await imageOf(two.store, { a: '1' }), ['shop'])
    const lying = { ...layer, diffId: digestOf('something else') }
    await assert.rejects(two.store.importLayer(lying), { code: 'LAYER_DIFFERS' })
    assert.equal(await two.store.layerByDiffId(lying.diffId), undefined)
    assert.equal(await two.store.blobs.size((honest.layers[0] as Layer).blob.digest), layer.blob.size)
  })

  it('refuses bytes that are not those of the descriptor, and packings it does not know', async () => {
    await using one = await temporaryStore()
    await using two = await temporaryStore()
    const layer = await one.store.addLayer(() => layerOf({ a: '1' }))
    const other = await one.store.addLayer(() => layerOf({ a: '2' }))
    await assert.rejects(two.store.importLayer({ ...layer, compressed: other.compressed }), {
      code: 'BLOB_DAMAGED',
    })
    const as = (packing: string) => {
      const blob = { ...layer.blob, mediaType: OCI.layer.replace('gzip', packing) }
      return packedLayer(layer.diffId, blob, () => one.store.blobs.open(blob.digest))
    }
    await assert.rejects(two.store.importLayer(as('xz')), { code: 'LAYER_UNSUPPORTED' })
    await assert.rejects(two.store.importLayer(as('zstd')), { code: 'LAYER_DAMAGED' })
  })

  it('refuses a blob that is no gzip although its media type says so', async () => {
    await using one = await temporaryStore()
    await using two = await temporaryStore()
    const plain = await readAll(layerOf({ a: '1' }))
    const digest = await one.store.blobs.add(plain)
    const layer = await one.store.addLayer(() => layerOf({ b: '1' }))
    const lying = {
      ...layer,
      blob: { ...layer.blob, digest, size: plain.length },
      compressed: async () => one.store.blobs.open(digest),
    }
    await assert.rejects(two.store.importLayer(lying), { code: 'LAYER_DAMAGED' })
  })
})
