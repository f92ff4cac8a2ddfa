import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { digestOf, hexOf, readAll } from '#std'
import { assertRefused } from '../std/refusal.testing.ts'
import { parseConfig } from './config.ts'
import type { Layer, StoredImage } from './image.ts'
import { parseManifest } from './manifest.ts'
import { OCI } from './media-types.ts'
import { imageOf, noise, temporaryStore } from './oci.testing.ts'
import { parseIndex } from './store/index-file.ts'
import type { LayoutStore } from './store/layout.ts'
import { packedLayer } from './store/stored-layer.ts'

const ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd'
const hex = 'a'.repeat(64)
const descriptor = (more: object = {}) => ({
  mediaType: OCI.layer,
  digest: digestOf('layer'),
  size: 5,
  ...more,
})
const manifest = (more: object = {}) => ({
  schemaVersion: 2,
  mediaType: OCI.manifest,
  config: { ...descriptor(), mediaType: OCI.config },
  layers: [descriptor()],
  ...more,
})
const withLayer = (more: object) => manifest({ layers: [descriptor(more)] })
const config = (more: object = {}) => ({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [digestOf('a')] },
  ...more,
})
const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

describe('documents of images, by anybody', () => {
  const ANY = ['DOCUMENT_INVALID', 'JSON_MALFORMED', 'MANIFEST_AMBIGUOUS']
  const MANIFESTS: Record<string, unknown> = {
    'a manifest and an index at once': manifest({ manifests: [] }),
    'the same where the list is null': manifest({ manifests: null }),
    'layers twice': `${text(manifest()).slice(0, -1)},"layers":[]}`,
    'a configuration twice': `${text(manifest()).slice(0, -1)},"config":{}}`,
    'another schema': manifest({ schemaVersion: 1 }),
    'a schema in words': manifest({ schemaVersion: '2' }),
    'no configuration': manifest({ config: undefined }),
    'layers that are an object': manifest({ layers: {} }),
    '10,001 layers': manifest({ layers: Array.from({ length: 10_001 }, () => descriptor()) }),
    'a layer that is null': manifest({ layers: [null] }),
    'a size below zero': withLayer({ size: -1 }),
    'a size with a fraction': withLayer({ size: 0.5 }),
    'a size beyond 2^53': text(manifest()).replaceAll('"size":5', '"size":9007199254740993'),
    'a size of infinity': text(manifest()).replaceAll('"size":5', '"size":1e999'),
    'a size in words': withLayer({ size: '5' }),
    'no size': withLayer({ size: undefined }),
    sha512: withLayer({ digest: `sha512:${'a'.repeat(128)}` }),
    sha1: withLayer({ digest: `sha1:${'a'.repeat(40)}` }),
    'upper-case digits': withLayer({ digest: `sha256:${hex.toUpperCase()}` }),
    'an upper-case algorithm': withLayer({ digest: `SHA256:${hex}` }),
    'a digit too few': withLayer({ digest: `sha256:${hex.slice(1)}` }),
    'a digit too many': withLayer({ digest: `sha256:${hex}a` }),
    'a digest that climbs': withLayer({ digest: 'sha256:../../../etc/passwd' }),
    'a line end after the digest': withLayer({ digest: `sha256:${hex}\n` }),
    'a media type of a kilobyte': withLayer({ mediaType: 'x'.repeat(1024) }),
    'annotations that are no text': withLayer({ annotations: { a: 1 } }),
    'a list': [manifest()],
    null: null,
    nothing: '',
    'lists, a million deep': '['.repeat(1_000_000),
    'lists, 100 deep': manifest({ x: JSON.parse('['.repeat(100) + ']'.repeat(100)) }),
    'a mark at its start': `\ufeff${text(manifest())}`,
    __proto__: text(manifest()).replace('{', '{"__proto__":{},'),
    'five megabytes': manifest({ annotations: { a: 'x'.repeat(5 << 20) } }),
  }
  for (const [what, value] of Object.entries(MANIFESTS))
    it(`REFUSE: a manifest with ${what}`, () =>
      assertRefused(() => parseManifest(Buffer.from(text(value)), 'the manifest'), ANY))
  it('REFUSE: a manifest with bytes that are no text', () =>
    assertRefused(
      () => parseManifest(Buffer.from(text(withLayer({ annotations: { a: '\u00e9' } })), 'latin1'), 'x'),
      ANY,
    ))
  it('INERT: a manifest with addresses of layers, keys of others, and half of a surrogate pair', () => {
    const found = parseManifest(
      Buffer.from(text(withLayer({ urls: ['http://example/evil'], data: 'eA==' }))),
      'x',
    )
    assert.deepEqual(found.layers, [descriptor()])
    parseManifest(Buffer.from(text(manifest({ subject: {}, annotations: { a: '\\ud800' } }))), 'x')
    assert.equal(
      parseManifest(Buffer.from(text(manifest({ layers: Array(10_000).fill(descriptor()) }))), 'x').layers
        .length,
      10_000,
    )
  })

  const CONFIGS: Record<string, unknown> = {
    'diffIDs of another algorithm': config({
      rootfs: { type: 'layers', diff_ids: [`sha512:${'a'.repeat(128)}`] },
    }),
    'upper-case diffIDs': config({ rootfs: { type: 'layers', diff_ids: [`sha256:${hex.toUpperCase()}`] } }),
    'diffIDs that climb': config({ rootfs: { type: 'layers', diff_ids: ['../../x'] } }),
    'another kind of root': config({ rootfs: { type: 'windows', diff_ids: [] } }),
    'no root': config({ rootfs: undefined }),
    'no platform': config({ os: undefined }),
    'a platform that is a list': config({ os: ['linux'] }),
    'variables that are an object': config({ config: { Env: { A: '1' } } }),
    'variables that are numbers': config({ config: { Env: [1] } }),
    'labels that are a list': config({ config: { Labels: ['a'] } }),
    'labels that are numbers': config({ config: { Labels: { a: 1 } } }),
    'a user that is a number': config({ config: { User: 0 } }),
    'an entry point in words': config({ config: { Entrypoint: 'sh -c x' } }),
    'a history that is no list': config({ history: {} }),
    'labels twice':
      '{"architecture":"a","os":"linux","rootfs":{"type":"layers"},"config":{"Labels":{"a":"1","a":"2"}}}',
    'settings twice':
      '{"architecture":"a","os":"linux","rootfs":{"type":"layers"},"config":{},"config":{"User":"root"}}',
    'lists, 100 deep': config({ x: JSON.parse('['.repeat(100) + ']'.repeat(100)) }),
  }
  for (const [what, value] of Object.entries(CONFIGS))
    it(`REFUSE: a configuration with ${what}`, () =>
      assertRefused(() => parseConfig(Buffer.from(text(value)), 'the configuration'), ANY))
  it('INERT: a configuration with labels of other cases, and names that objects have anyway', () => {
    const labels = { a: '1', A: '2', constructor: 'x', toString: '\u001b[2J' }
    assert.deepEqual(
      parseConfig(Buffer.from(text(config({ config: { Labels: labels } }))), 'x').config?.Labels,
      labels,
    )
  })

  const index = (more: object = {}) => ({ schemaVersion: 2, manifests: [descriptor()], ...more })
  const INDICES: Record<string, unknown> = {
    'layers too': index({ layers: [] }),
    'a configuration too': index({ config: descriptor() }),
    'manifests twice': `${text(index()).slice(0, -1)},"manifests":[]}`,
    'no manifests': { schemaVersion: 2 },
    'a manifest that is text': index({ manifests: ['x'] }),
    'a digest that climbs': index({ manifests: [descriptor({ digest: 'sha256:../x' })] }),
    'a platform that is text': index({ manifests: [descriptor({ platform: 'linux/amd64' })] }),
    '100,001 manifests': `{"schemaVersion":2,"manifests":[${Array(100_001).fill(text(descriptor())).join()}]}`,
    'half of it': text(index()).slice(0, 50),
    nothing: '',
  }
  for (const [what, value] of Object.entries(INDICES))
    it(`REFUSE: an index with ${what}`, () => assertRefused(() => parseIndex(text(value), 'the index'), ANY))
  it('SAME: an index as it should be', () => assert.deepEqual(parseIndex(text(index()), 'x'), [descriptor()]))
})

describe('packed layers, by anybody', () => {
  const plain = noise(200_000)
  const read = async (bytes: Buffer, mediaType: string = OCI.layer) => {
    const blob = { mediaType, digest: digestOf(bytes), size: bytes.length }
    return await readAll(
      await packedLayer(digestOf(plain), blob, () => Readable.from([bytes])).uncompressed(),
    )
  }
  const packed = gzipSync(plain)
  const altered = (at: number) =>
    Buffer.concat([packed.subarray(0, at), Buffer.from([(packed[at] ?? 0) ^ 0xff]), packed.subarray(at + 1)])
  const REFUSED: Record<string, [Buffer, string?]> = {
    nothing: [Buffer.alloc(0)],
    'a gzip that is cut': [packed.subarray(0, packed.length / 2)],
    'a gzip that is cut in its sum': [packed.subarray(0, packed.length - 4)],
    'a gzip of another sum': [altered(packed.length - 6)],
    'a gzip of another length': [altered(packed.length - 1)],
    'a gzip of another method': [altered(2)],
    'a gzip with a damaged content': [altered(20)],
    'a plain tar said to be gzip': [plain],
    'a second part that is cut': [Buffer.concat([packed, packed.subarray(0, 100)])],
    'a zstd that is none': [plain, ZSTD],
    'a zstd that is cut': [Buffer.from('28b52ffd', 'hex'), ZSTD],
    'a zstd with a window of a terabyte': [Buffer.from('28b52ffd00f8010000', 'hex'), ZSTD],
    'a packing that there is none of': [packed, 'application/vnd.oci.image.layer.v1.tar+brotli'],
  }
  for (const [what, [bytes, mediaType]] of Object.entries(REFUSED))
    it(`REFUSE: ${what}`, () =>
      assertRefused(() => read(bytes, mediaType), ['LAYER_DAMAGED', 'LAYER_UNSUPPORTED']))
  it('SAME: one gzip, several in a row, and one with nothing after it', async () => {
    assert.ok(plain.equals(await read(packed)))
    const parts = Buffer.concat([gzipSync(plain.subarray(0, 1000)), gzipSync(plain.subarray(1000))])
    assert.ok(plain.equals(await read(parts)))
  })
})

describe('a store that somebody damaged', () => {
  type Damage = (store: LayoutStore, image: StoredImage) => Promise<unknown>
  const blob = (store: LayoutStore, image: StoredImage) =>
    store.blobs.path((image.layers[0] as Layer).blob.digest)
  const useIt = async (store: LayoutStore) => {
    const image = await store.image('shop')
    assert.ok(image)
    for (const layer of image.layers) {
      const copy = await readAll(await layer.uncompressed())
      if (digestOf(copy) !== layer.diffId) await store.importLayer(layer)
    }
  }
  const DAMAGED: Record<string, [Damage, string[]]> = {
    'index.json is empty': [store => writeFile(join(store.root, 'index.json'), ''), ['JSON_MALFORMED']],
    'index.json is half of it': [store => truncate(join(store.root, 'index.json'), 40), ['JSON_MALFORMED']],
    'index.json is a list': [store => writeFile(join(store.root, 'index.json'), '[]'), ['DOCUMENT_INVALID']],
    'index.json is null': [store => writeFile(join(store.root, 'index.json'), 'null'), ['DOCUMENT_INVALID']],
    'index.json is a manifest too': [
      store => writeFile(join(store.root, 'index.json'), '{"schemaVersion":2,"manifests":[],"layers":[]}'),
      ['MANIFEST_AMBIGUOUS'],
    ],
    'index.json has a digest that climbs': [
      store =>
        writeFile(
          join(store.root, 'index.json'),
          text({ schemaVersion: 2, manifests: [descriptor({ digest: 'sha256:../../x' })] }),
        ),
      ['DOCUMENT_INVALID'],
    ],
    'the manifest is another': [
      (store, image) => writeFile(store.blobs.path(image.digest), '{}'),
      ['BLOB_DAMAGED'],
    ],
    'the manifest is empty': [
      (store, image) => truncate(store.blobs.path(image.digest), 0),
      ['BLOB_DAMAGED'],
    ],
    'the manifest is gone': [(store, image) => rm(store.blobs.path(image.digest)), ['BLOB_MISSING']],
    'the manifest is a directory': [
      async (store, image) => {
        await rm(store.blobs.path(image.digest))
        await mkdir(store.blobs.path(image.digest))
      },
      ['BLOB_MISSING', 'BLOB_DAMAGED'],
    ],
    'the manifest is a pipe': [
      async (store, image) => {
        await rm(store.blobs.path(image.digest))
        execFileSync('mkfifo', [store.blobs.path(image.digest)])
      },
      ['BLOB_MISSING', 'BLOB_DAMAGED'],
    ],
    'the manifest is a link to nothing': [
      async (store, image) => {
        await rm(store.blobs.path(image.digest))
        await symlink('nothing', store.blobs.path(image.digest))
      },
      ['BLOB_MISSING'],
    ],
    'the configuration is another': [
      (store, image) => writeFile(store.blobs.path(image.configDigest), '{}'),
      ['BLOB_DAMAGED'],
    ],
    'the configuration is gone': [
      (store, image) => rm(store.blobs.path(image.configDigest)),
      ['BLOB_MISSING'],
    ],
    'the configuration is of a size that none has': [
      (store, image) => truncate(store.blobs.path(image.configDigest), 2 ** 34),
      ['DOCUMENT_TOO_LARGE'],
    ],
    'a layer is a pipe': [
      async (store, image) => {
        await rm(blob(store, image))
        execFileSync('mkfifo', [blob(store, image)])
      },
      ['LAYER_DAMAGED', 'BLOB_DAMAGED', 'BLOB_MISSING'],
    ],
    'a layer is cut': [(store, image) => truncate(blob(store, image), 100), ['LAYER_DAMAGED']],
    'a layer is empty': [(store, image) => truncate(blob(store, image), 0), ['LAYER_DAMAGED']],
    'a layer is another': [
      (store, image) => writeFile(blob(store, image), gzipSync('another')),
      ['LAYER_DIFFERS', 'BLOB_DAMAGED'],
    ],
  }
  for (const [what, [damage, codes]] of Object.entries(DAMAGED)) {
    it(`REFUSE: ${what}; and it is as before once that is mended`, async () => {
      await using place = await temporaryStore()
      const { store } = place
      const image = await store.write(await imageOf(store, { a: noise(50_000) }), ['shop'])
      await useIt(store)
      execFileSync('cp', ['-a', store.root, join(place.path, 'good')])
      await damage(store, image)
      await assertRefused(() => useIt(store), codes)
      await rm(store.root, { recursive: true })
      await rename(join(place.path, 'good'), store.root)
      await useIt(store)
    })
  }

  it('INERT: blobs are behind a link', async () => {
    await using place = await temporaryStore()
    const { store } = place
    await store.write(await imageOf(store, { a: '1' }), ['shop'])
    await rename(join(store.root, 'blobs'), join(place.path, 'elsewhere'))
    await symlink(join(place.path, 'elsewhere'), join(store.root, 'blobs'))
    await useIt(store)
    await store.write(await imageOf(store, { a: '1' }, { b: '2' }), ['shop'])
    await useIt(store)
  })

  it('CONTAIN: what a sender gets wrong leaves no blob and no file behind', async () => {
    await using place = await temporaryStore()
    const { store } = place
    await store.write(await imageOf(store, { a: '1' }), ['shop'])
    const before = (await readdir(store.root, { recursive: true })).toSorted()
    const bytes = gzipSync(noise(1000))
    const other = digestOf('other')
    const layerOf = (more: object, sent = bytes) =>
      packedLayer(other, { mediaType: OCI.layer, digest: digestOf(bytes), size: bytes.length, ...more }, () =>
        Readable.from([sent]),
      )
    for (const bad of [
      layerOf({ digest: other }),
      layerOf({ size: bytes.length - 1 }),
      layerOf({ size: bytes.length + 1 }),
      layerOf({}, bytes.subarray(1)),
      layerOf({}, Buffer.concat([bytes, bytes])),
    ])
      await assertRefused(() => store.importLayer(bad), 'BLOB_DAMAGED')
    assert.deepEqual((await readdir(store.root, { recursive: true })).toSorted(), before)
    assert.equal(hexOf(other).length, 64)
  })
})
