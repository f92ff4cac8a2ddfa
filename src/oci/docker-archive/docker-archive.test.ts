import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { digestOf, hexOf, packTar, readAll, type TarEntry } from '#std'
import { copyImage, parsePlace } from '../copy.ts'
import { imageOf, layerOf, noise, temporaryStore } from '../oci.testing.ts'

const options = { architecture: 'amd64' }
const common = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1 } as const

function file(name: string, text: string | Uint8Array): TarEntry {
  const content = Buffer.from(text)
  return { ...common, name, size: content.length, content }
}

function link(name: string, linkname: string): TarEntry {
  return { ...common, type: 'symlink', name, linkname, size: 0 }
}

/** What `docker save` would write of an image with these layers. */
async function saved(...layers: Uint8Array[]) {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/x'], Env: null },
    rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
  })
  const configName = `${hexOf(digestOf(config))}.json`
  const paths = layers.map((_, index) => `layer-${index}/layer.tar`)
  const manifest = [{ Config: configName, RepoTags: ['team/shop:1.0'], Layers: paths }]
  return {
    manifest,
    entries: [
      file(configName, config),
      ...layers.map((bytes, index) => file(paths[index] as string, bytes)),
      file('manifest.json', JSON.stringify(manifest)),
    ],
  }
}

async function written(directory: string, entries: TarEntry[]): Promise<string> {
  const path = join(directory, 'image.tar')
  await writeFile(path, await readAll(packTar(entries)))
  return `docker-archive:${path}`
}

async function copied(entries: TarEntry[], suffix = '') {
  await using place = await temporaryStore()
  const from = `${await written(place.path, entries)}${suffix}`
  await copyImage(place.store, parsePlace(from, '/'), parsePlace('got', '/'), options)
  const image = await place.store.image('got')
  assert.ok(image)
  return image
}

describe('readDockerArchive', () => {
  it('reads layers that are plain or packed, and keeps what the configuration says', async () => {
    const one = await readAll(layerOf({ a: '1' }))
    const two = await readAll(layerOf({ b: noise(100_000) }))
    const { entries } = await saved(one, two)
    const packed = entries.map(entry =>
      entry.name === 'layer-1/layer.tar' ? file('layer-1/layer.tar', gzipSync(two)) : entry,
    )
    for (const each of [entries, packed]) {
      const image = await copied(each)
      assert.deepEqual(image.config.rootfs.diff_ids, [digestOf(one), digestOf(two)])
      assert.deepEqual(image.config.config, { Cmd: ['/bin/x'] })
    }
  })

  it('reads entries in any order, with ./ in front, and layers through links as older tools write them', async () => {
    const one = await readAll(layerOf({ a: '1' }))
    const { entries } = await saved(one)
    const expected = (await copied(entries)).digest
    assert.equal((await copied(entries.toReversed())).digest, expected)
    assert.equal((await copied(entries.map(each => ({ ...each, name: `./${each.name}` })))).digest, expected)
    const [config, , manifest] = entries as [TarEntry, TarEntry, TarEntry]
    const linked = [link('layer-0/layer.tar', '../blob.tar'), config, manifest, file('blob.tar', one)]
    assert.equal((await copied(linked)).digest, expected)
  })

  it('reads an archive that is packed as a whole', async () => {
    await using place = await temporaryStore()
    const { entries } = await saved(await readAll(layerOf({ a: '1' })))
    const path = join(place.path, 'image.tar.gz')
    await writeFile(path, gzipSync(await readAll(packTar(entries))))
    const { digest } = await copyImage(
      place.store,
      parsePlace(`docker-archive:${path}`, '/'),
      parsePlace('got', '/'),
      options,
    )
    assert.equal(digest, (await copied(entries)).digest)
    assert.deepEqual(await readdir(join(place.store.root, '.slipway/archives')), [])
  })

  it('finds the image of a name, however the name is written, and asks for one where there are several', async () => {
    const one = await saved(await readAll(layerOf({ a: '1' })))
    const [first] = one.manifest
    const entries = [
      ...one.entries.slice(0, -1),
      file('manifest.json', JSON.stringify([first, { ...first, RepoTags: ['docker.io/library/other:2'] }])),
    ]
    for (const name of [':team/shop:1.0', ':docker.io/team/shop:1.0', ':other:2'])
      assert.ok(await copied(entries, name))
    await assert.rejects(copied(entries), { code: 'NOT_IN_LAYOUT', why: /team\/shop:1\.0, docker\.io/ })
    await assert.rejects(copied(entries, ':third'), { code: 'NOT_IN_LAYOUT' })
  })

  it('refuses a layer that is not the one that the configuration names, plain or packed', async () => {
    const one = await readAll(layerOf({ a: '1' }))
    const other = await readAll(layerOf({ a: '2' }))
    const { entries } = await saved(one)
    const swapped = (bytes: Uint8Array) =>
      entries.map(each => (each.name === 'layer-0/layer.tar' ? file('layer-0/layer.tar', bytes) : each))
    await assert.rejects(copied(swapped(other)), { code: 'ARCHIVE_UNUSABLE' })
    await assert.rejects(copied(swapped(gzipSync(other))), { code: 'LAYER_DIFFERS' })
    await assert.rejects(copied(swapped(gzipSync(one).subarray(0, 60))), { code: 'LAYER_DAMAGED' })
  })

  it('refuses names that lead outside, names that come twice, and what is missing', async () => {
    const one = await readAll(layerOf({ a: '1' }))
    const { entries, manifest } = await saved(one)
    const [config, layer, listing] = entries as [TarEntry, TarEntry, TarEntry]
    const [first] = manifest
    const cases: Record<string, TarEntry[]> = {
      'a name that climbs': [...entries, file('../../etc/cron.d/x', 'x')],
      'an absolute name': [...entries, file('/etc/passwd', 'x')],
      'a link that climbs': [config, link('layer-0/layer.tar', '../../../etc/passwd'), listing],
      'a link to an absolute place': [config, link('layer-0/layer.tar', '/etc/passwd'), listing],
      'links in a circle': [
        config,
        link('layer-0/layer.tar', '../x'),
        link('x', 'layer-0/layer.tar'),
        listing,
      ],
      'the manifest twice': [...entries, listing],
      'no manifest': [config, layer],
      'no layer': [config, listing],
      'no configuration': [layer, listing],
      'fewer layers than diffIDs': [
        config,
        layer,
        file('manifest.json', JSON.stringify([{ ...first, Layers: [] }])),
      ],
    }
    for (const [name, each] of Object.entries(cases))
      await assert.rejects(copied(each), { code: 'ARCHIVE_UNUSABLE' }, name)
  })

  it('refuses listings that are none', async () => {
    for (const [text, code] of [
      ['[]', 'DOCUMENT_INVALID'],
      ['{}', 'DOCUMENT_INVALID'],
      ['[{"Config":1}]', 'DOCUMENT_INVALID'],
      ['[', 'JSON_MALFORMED'],
    ] as const) {
      await assert.rejects(copied([file('manifest.json', text)]), { code }, text)
    }
    await assert.rejects(copied([file('manifest.json', Buffer.alloc(5 << 20, 0x20))]), {
      code: 'ARCHIVE_UNUSABLE',
    })
  })

  it('says plainly what is no archive', async () => {
    await using place = await temporaryStore()
    const junk = join(place.path, 'junk')
    await writeFile(junk, noise(3000))
    const broken = join(place.path, 'broken.gz')
    await writeFile(broken, gzipSync(noise(3000)).subarray(0, 100))
    for (const path of [junk, broken, place.path, join(place.path, 'nothing')]) {
      const from = parsePlace(`docker-archive:${path}`, '/')
      await assert.rejects(
        copyImage(place.store, from, parsePlace('x', '/'), options),
        { code: 'ARCHIVE_UNUSABLE' },
        path,
      )
    }
    assert.deepEqual(await place.store.list(), [])
  })
})

describe('writeDockerArchive', () => {
  it('writes what it can read, each layer once, the same bytes every time', async () => {
    await using place = await temporaryStore()
    const { store, path } = place
    const image = await store.write(await imageOf(store, { a: '1' }, { b: '1' }, { b: '1' }), ['shop'])
    const copies = [`${path}/one.tar`, `${path}/below/two.tar`]
    for (const to of copies) {
      const { digest } = await copyImage(
        store,
        parsePlace('shop', '/'),
        parsePlace(`docker-archive:${to}`, '/'),
        options,
      )
      assert.equal(digest, image.configDigest)
    }
    const [one, two] = await Promise.all(copies.map(each => readFile(each)))
    assert.ok(one?.equals(two as Buffer))
    assert.equal((one as Buffer).toString('latin1').split('.tar.gz\0').length - 1, 2)
    const { digest } = await copyImage(
      store,
      parsePlace(`docker-archive:${copies[0]}:shop`, '/'),
      parsePlace('back', '/'),
      options,
    )
    assert.equal(digest, image.digest)
  })

  it('leaves nothing behind when a layer cannot be read', async () => {
    await using place = await temporaryStore()
    const { store, path } = place
    const image = await store.write(await imageOf(store, { a: '1' }), ['shop'])
    await writeFile(store.blobs.path(image.layers[0]?.blob.digest as never), 'too short')
    const to = parsePlace('docker-archive:image.tar', path)
    await assert.rejects(copyImage(store, parsePlace('shop', '/'), to, options), { code: 'BLOB_DAMAGED' })
    assert.deepEqual(await readdir(path), ['images'])
  })
})
