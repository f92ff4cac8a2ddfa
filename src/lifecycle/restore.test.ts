import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  type Analyzed,
  type BuildpackLayers,
  type GroupMember,
  type LayerRecord,
  NO_METADATA,
  parseBuildpackId,
  parseLayer,
} from '#cnb'
import { emptyImage, type StoredImage } from '#oci'
import { type Digest, digestOf, packTar, readAll, type TarEntry } from '#std'
import type { Cache } from './cache.ts'
import { type RestoreOptions, restore } from './restore.ts'
import { openWorkshop, type Workshop } from './shell-buildpacks.testing.ts'
import { openVolumeCache } from './volume-cache.ts'

const member: GroupMember = { id: parseBuildpackId('acme/a', 'a test'), version: '2.0.0', api: '0.10' }
const group = { buildpacks: [member], extensions: [] }

describe('restore', () => {
  let shop: Workshop
  let cache: Cache
  beforeEach(async () => {
    shop = await openWorkshop()
    await mkdir(join(shop.path, 'cache'))
    const rules = { owner: { uid: 1001, gid: 1000 }, parents: 'fixed', layers: shop.places.layers } as const
    cache = await openVolumeCache(join(shop.path, 'cache'), rules)
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  const layers = (...path: string[]) => join(shop.places.layers.host, ...path)
  const buildpack = (
    records: Record<string, LayerRecord>,
    store?: Record<string, unknown>,
  ): BuildpackLayers => ({
    key: 'acme/a',
    version: '1.0.0',
    layers: new Map(Object.entries(records)),
    ...(store && { store: { metadata: store } }),
  })
  const record = (flags: string, sha: string, data?: Record<string, unknown>): LayerRecord => ({
    sha,
    launch: flags.includes('launch'),
    build: flags.includes('build'),
    cache: flags.includes('cache'),
    ...(data && { data }),
  })
  const analyzed = (image?: BuildpackLayers, sbom?: string): Analyzed => ({
    metadata: {
      ...NO_METADATA,
      buildpacks: image ? [image] : [],
      ...(sbom !== undefined && { sbom: { sha: sbom } }),
    },
    runImage: { reference: 'run', target: shop.target },
  })
  const run = (more: Partial<RestoreOptions>) =>
    restore({ ...shop, group, analyzed: analyzed(), cache, ...more })

  /** Makes a layer directory, puts it into the cache with its record, and removes it again. */
  const keep = async (
    name: string,
    flags: string,
    data?: Record<string, unknown>,
    bills?: string,
  ): Promise<string> => {
    await mkdir(layers('acme_a', name, 'bin'), { recursive: true })
    await writeFile(layers('acme_a', name, 'bin', 'run'), `${name}\n`, { mode: 0o755 })
    await using writing = await cache.begin()
    const sha = await writing.addLayer(layers('acme_a', name), `${shop.places.layers.inside}/acme_a/${name}`)
    let sbom: { sha: string } | undefined
    if (bills !== undefined) {
      await mkdir(layers('sbom/cache/acme_a', name), { recursive: true })
      await writeFile(layers('sbom/cache/acme_a', name, 'sbom.cdx.json'), bills)
      sbom = { sha: await writing.addLayer(layers('sbom/cache'), `${shop.places.layers.inside}/sbom/cache`) }
    }
    await writing.commit({
      buildpacks: [buildpack({ [name]: record(flags, sha, data) })],
      ...(sbom && { sbom }),
    })
    await rm(shop.places.layers.host, { recursive: true })
    return sha
  }

  it('brings metadata back from the image, without types, and stored values', async () => {
    const image = buildpack({ jre: record('launch', 's', { version: 21, seen: null }) }, { count: 3 })
    await run({ analyzed: analyzed(image) })
    const text = await readFile(layers('acme_a/jre.toml'), 'utf8')
    assert.equal(text, '[metadata]\nversion = 21\n')
    assert.deepEqual(parseLayer(text, 'x').types, { launch: false, build: false, cache: false })
    assert.equal(await readFile(layers('acme_a/store.toml'), 'utf8'), '[metadata]\ncount = 3\n')
    assert.deepEqual(shop.report.lines, ['Restoring metadata for "acme/a:jre" from app image'])
    assert.ok(!existsSync(layers('acme_a/jre')))
  })

  it('brings cached layers back with their contents, whatever the version of the buildpack was', async () => {
    const sha = await keep('m2', 'cache', { of: 'm2' })
    await run({})
    assert.equal(await readFile(layers('acme_a/m2/bin/run'), 'utf8'), 'm2\n')
    assert.equal(await readFile(layers('acme_a/m2.toml'), 'utf8'), '[metadata]\nof = "m2"\n')
    assert.deepEqual(shop.report.lines, [
      'Restoring metadata for "acme/a:m2" from cache',
      'Restoring data for "acme/a:m2" from cache',
    ])
    assert.match(sha, /^sha256:/)
  })

  it('brings layers of the image back with contents of the cache, unless those are others', async () => {
    const sha = await keep('jdk', 'launch build cache')
    await run({ analyzed: analyzed(buildpack({ jdk: record('launch build cache', sha) })) })
    assert.ok(existsSync(layers('acme_a/jdk/bin/run')))

    await rm(layers('acme_a'), { recursive: true })
    await run({ analyzed: analyzed(buildpack({ jdk: record('launch build cache', 'sha256:other') })) })
    assert.deepEqual(await readdir(layers('acme_a')), [])
  })

  it('warns of contents that are lost or damaged, and goes on', async () => {
    const sha = await keep('m2', 'cache', { of: 'm2' })
    for (const damage of [
      () => writeFile(join(shop.path, 'cache/committed', `${sha}.tar`), 'damaged'),
      () => rm(join(shop.path, 'cache/committed', `${sha}.tar`)),
    ]) {
      await damage()
      await run({})
      assert.match(shop.report.lines.at(-1) ?? '', /^Warning: .*acme\/a:m2.* missing or damaged/)
      assert.deepEqual(await readdir(layers('acme_a')), ['m2.toml'])
    }
  })

  it('brings back only what was stored when layers are skipped', async () => {
    await keep('m2', 'cache')
    const image = buildpack({ jre: record('launch', 's') }, { count: 3 })
    await run({ analyzed: analyzed(image), skipLayers: true })
    assert.deepEqual(await readdir(layers('acme_a')), ['store.toml'])
  })

  it('does nothing without an image and a cache, and nothing for buildpacks of other groups', async () => {
    const { cache: _, ...none } = { ...shop, cache }
    await restore({ ...none, group, analyzed: analyzed() })
    const image = buildpack({ jre: record('launch', 's') }, { count: 3 })
    await run({ analyzed: analyzed(image), group: { buildpacks: [], extensions: [] } })
    assert.ok(!existsSync(layers('acme_a')))
    assert.deepEqual(shop.report.lines, [])
  })

  it('does not follow names out of the layers directory', async () => {
    const records = {
      '../../evil': record('launch', 's'),
      launch: record('launch', 's'),
      ok: record('launch', 's'),
    }
    await run({ analyzed: analyzed(buildpack(records)) })
    assert.deepEqual(await readdir(layers('acme_a')), ['ok.toml'])
    assert.ok(!existsSync(join(shop.path, 'evil.toml')))
    assert.equal(shop.report.lines.filter(line => line.startsWith('Warning')).length, 2)
  })

  describe('bills of materials', () => {
    it('come back with the layers of the cache', async () => {
      await keep('m2', 'cache', undefined, '{"cached":1}')
      await run({})
      assert.deepEqual(await readdir(layers('acme_a')), ['m2', 'm2.sbom.cdx.json', 'm2.toml'])
      assert.equal(await readFile(layers('acme_a/m2.sbom.cdx.json'), 'utf8'), '{"cached":1}')
      assert.ok(!existsSync(layers('sbom')))
      assert.ok(!existsSync(`${shop.places.layers.host}-scratch`))
    })

    const file = (name: string, text: string): TarEntry => {
      const content = Buffer.from(text)
      return { name, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: content.length, content }
    }
    const imageWith = async (...entries: TarEntry[]): Promise<{ image: StoredImage; sha: Digest }> => {
      const tar = await readAll(packTar(entries))
      const sha = digestOf(tar)
      const open = async () => Readable.from([tar])
      const blob = { mediaType: 'x', digest: sha, size: tar.length }
      const layer = { diffId: sha, blob, compressed: open, uncompressed: open }
      const about = { digest: sha, manifestSize: 0, configDigest: sha, configSize: 0 }
      return { image: { ...emptyImage('linux', 'amd64'), layers: [layer], ...about }, sha }
    }

    it('come back with the layers of the image, each to its own', async () => {
      const root = `${shop.places.layers.inside}/sbom/launch`
      const { image, sha } = await imageWith(
        file(`${root}/acme_a/jre/sbom.spdx.json`, '{"jre":1}'),
        file(`${root}/acme_a/gone/sbom.spdx.json`, '{}'),
        file(`${root}/acme_a/sbom.spdx.json`, '{}'),
        file(`${root}/other/jre/sbom.spdx.json`, '{}'),
      )
      const metadata = analyzed(buildpack({ jre: record('launch', 's') }), sha)
      await run({ analyzed: metadata, previous: image })
      assert.deepEqual(await readdir(layers('acme_a')), ['jre.sbom.spdx.json', 'jre.toml'])
      assert.equal(await readFile(layers('acme_a/jre.sbom.spdx.json'), 'utf8'), '{"jre":1}')
    })

    it('that would leave their place are a warning', async () => {
      const { image, sha } = await imageWith(file('/etc/evil', 'x'))
      await run({ analyzed: analyzed(buildpack({ jre: record('launch', 's') }), sha), previous: image })
      assert.match(shop.report.lines.at(-1) ?? '', /^Warning: .*\/etc\/evil/)
    })

    it('that are links are not read', async () => {
      await shop.write('secret/jre/sbom.cdx.json', 'secret')
      const root = `${shop.places.layers.inside}/sbom/launch`
      const link: TarEntry = {
        ...file(`${root}/acme_a`, ''),
        type: 'symlink',
        linkname: join(shop.path, 'secret'),
      }
      const { image, sha } = await imageWith(link)
      await run({ analyzed: analyzed(buildpack({ jre: record('launch', 's') }), sha), previous: image })
      assert.deepEqual(await readdir(layers('acme_a')), ['jre.toml'])
    })
  })
})
