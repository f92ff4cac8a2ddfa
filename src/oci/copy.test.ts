import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { digestOf } from '#std'
import { copyImage, parsePlace } from './copy.ts'
import { describeBytes } from './descriptor.ts'
import { OCI } from './media-types.ts'
import { imageOf, temporaryStore } from './oci.testing.ts'
import { REF_NAME } from './store/index-file.ts'
import { openExchange } from './store/layout.ts'

const options = { architecture: 'amd64' }

describe('parsePlace', () => {
  it('reads the spelling of containers-transports', () => {
    assert.deepEqual(parsePlace('team/shop:1', '/w'), { kind: 'store', name: 'team/shop:1' })
    assert.deepEqual(parsePlace('oci:layout', '/w'), { kind: 'oci', directory: '/w/layout', tag: undefined })
    assert.deepEqual(parsePlace('oci:/a/layout:1.2', '/w'), {
      kind: 'oci',
      directory: '/a/layout',
      tag: '1.2',
    })
    assert.deepEqual(parsePlace('docker-archive:x.tar:team/shop:1', '/w'), {
      kind: 'docker-archive',
      file: '/w/x.tar',
      name: 'team/shop:1',
    })
  })
})

describe('parsePlace of what is not on this disk', () => {
  it('reads registries and daemons', () => {
    assert.deepEqual(parsePlace('docker://debian', '/w'), {
      kind: 'registry',
      reference: 'index.docker.io/library/debian:latest',
    })
    const digest = digestOf('x')
    assert.deepEqual(parsePlace(`docker://127.0.0.1:5000/a/b@${digest}`, '/w'), {
      kind: 'registry',
      reference: `127.0.0.1:5000/a/b@${digest}`,
    })
    assert.deepEqual(parsePlace('docker-daemon:shop:1', '/w'), { kind: 'daemon', name: 'shop:1' })
    assert.throws(() => parsePlace('docker://UPPER', '/w'), { code: 'REFERENCE_INVALID', exitCode: 3 })
  })
})

describe('copyImage', () => {
  it('keeps every byte of manifest and configuration between layouts, so that the digest stays', async () => {
    await using place = await temporaryStore()
    const { store, path } = place
    const written = await store.write(await imageOf(store, { a: '1' }), ['shop'])
    // As another tool would write it: other blanks, keys that we do not know.
    const config = Buffer.from(JSON.stringify({ ...written.config, 'com.example.more': 1 }, null, 3))
    const manifest = Buffer.from(
      JSON.stringify({
        artifactType: 'x',
        schemaVersion: 2,
        mediaType: OCI.manifest,
        config: describeBytes(OCI.config, config),
        layers: written.layers.map(({ blob }) => blob),
      }),
    )
    await store.blobs.add(config)
    const digest = await store.blobs.add(manifest)
    await store.tag(digest, 'foreign')
    const there = await copyImage(
      store,
      parsePlace('foreign', path),
      parsePlace('oci:out:1.0', path),
      options,
    )
    const back = await copyImage(store, parsePlace('oci:out:1.0', path), parsePlace('back', path), options)
    assert.deepEqual([there.digest, back.digest], [digest, digest])
    assert.ok((await store.blobs.read(digest)).equals(manifest))
  })

  it('names images in a layout as other tools do, and takes the only image where no tag is given', async () => {
    await using place = await temporaryStore()
    const { store, path } = place
    await store.write(await imageOf(store, { a: '1' }), ['shop'])
    await copyImage(store, parsePlace('shop', path), parsePlace('oci:out', path), options)
    const index = JSON.parse(await readFile(join(path, 'out/index.json'), 'utf8'))
    assert.equal(index.manifests[0].annotations[REF_NAME], 'latest')
    await copyImage(store, parsePlace('oci:out', path), parsePlace('again', path), options)
    await copyImage(store, parsePlace('shop', path), parsePlace('oci:out:two', path), options)
    await assert.rejects(copyImage(store, parsePlace('oci:out', path), parsePlace('x', path), options), {
      code: 'NOT_IN_LAYOUT',
      why: /latest, two/,
      exitCode: 3,
    })
  })

  it('chooses the image of a platform from an index of several', async () => {
    await using place = await temporaryStore()
    const { store, path } = place
    const image = await store.write(await imageOf(store, { a: '1' }), ['shop'])
    await copyImage(store, parsePlace('shop', path), parsePlace('oci:out', path), options)
    const layout = openExchange(join(path, 'out'))
    const one = { mediaType: OCI.manifest, digest: image.digest, size: image.manifestSize }
    const nested = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          { ...one, digest: digestOf('attestation'), platform: { os: 'unknown', architecture: 'unknown' } },
          { ...one, platform: { os: 'linux', architecture: 'amd64' } },
        ],
      }),
    )
    await layout.blobs.add(nested)
    await writeFile(
      join(path, 'out/index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: [describeBytes(OCI.index, nested)] }),
    )
    const from = parsePlace('oci:out', path)
    assert.equal((await copyImage(store, from, parsePlace('got', path), options)).digest, image.digest)
    await assert.rejects(copyImage(store, from, parsePlace('got', path), { architecture: 'arm64' }), {
      code: 'PLATFORM_MISSING',
      why: /unknown\/unknown, linux\/amd64, and none for linux\/arm64/,
    })
  })

  it('takes nothing over from a layout whose blobs were altered', async () => {
    await using place = await temporaryStore()
    const { store, path } = place
    const image = await store.write(await imageOf(store, { a: '1' }), ['shop'])
    await copyImage(store, parsePlace('shop', path), parsePlace('oci:out', path), options)
    await using fresh = await temporaryStore()
    const layout = openExchange(join(path, 'out'))
    const [layer] = image.layers
    await writeFile(layout.blobs.path(layer?.blob.digest as never), 'altered')
    await assert.rejects(
      copyImage(fresh.store, parsePlace('oci:out', path), parsePlace('x', path), options),
      {
        code: 'BLOB_DAMAGED',
      },
    )
    assert.deepEqual(await fresh.store.list(), [])
  })

  it('checks the new name before it copies anything', async () => {
    await using place = await temporaryStore()
    const { store, path } = place
    for (const to of ['Shop', 'oci:out:a b', 'docker-archive:x.tar:Shop']) {
      await assert.rejects(
        copyImage(store, parsePlace('shop', path), parsePlace(to, path), options),
        { code: 'NAME_INVALID' },
        to,
      )
    }
    await assert.rejects(copyImage(store, parsePlace('shop', path), parsePlace('x', path), options), {
      code: 'NOT_IN_LAYOUT',
    })
  })
})
