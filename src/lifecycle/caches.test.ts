import assert from 'node:assert/strict'
import { appendFile, chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type GroupMember, parseBuildpackId } from '#cnb'
import {
  digestOf,
  type Problem,
  packTar,
  readAll,
  recording,
  removeTree,
  type TemporaryDirectory,
  temporaryDirectory,
} from '#std'
import type { Cache } from './cache.ts'
import { parseCacheMetadata, printCacheMetadata } from './cache-metadata.ts'
import { openDirectoryCache } from './directory-cache.ts'
import { exportCache } from './export-cache.ts'
import { diffIdOf } from './keep-layer.ts'
import { packTree } from './pack-directory.ts'
import { salvageCache } from './salvage-cache.ts'
import { makeTree } from './tree.testing.ts'
import { openVolumeCache } from './volume-cache.ts'

const member: GroupMember = { id: parseBuildpackId('acme/bp', 'a test'), version: '1.0.0', api: '0.10' }
const rules = { owner: { uid: 1001, gid: 1000 }, parents: 'fixed' } as const
/** More than what a directory cache copies instead of moving it. */
const LARGE = Buffer.alloc(5 << 20, 'large')

let directory: TemporaryDirectory
const prepare = async () => {
  directory = await temporaryDirectory(tmpdir(), 'caches-')
  await mkdir(at('cache'))
}
const cleanUp = () => directory[Symbol.asyncDispose]()

const at = (name: string) => join(directory.path, name)
const layers = () => ({ host: at('layers'), inside: '/layers' })

/** What buildpacks left: a small layer, a large one, one that is not to be cached, and one without contents. */
async function build(): Promise<void> {
  await removeTree(at('layers'))
  await makeTree(directory.path, {
    'layers/acme_bp/small.toml': '[types]\ncache = true\n[metadata]\nof = "small"\n',
    'layers/acme_bp/small/bin/run': { content: 'run\n', mode: 0o755 },
    'layers/acme_bp/small/link': { link: '../../../elsewhere' },
    'layers/acme_bp/small/secret': { content: 'x', mode: 0o400 },
    'layers/acme_bp/large.toml': '[types]\ncache = true\nlaunch = true\n',
    'layers/acme_bp/large/data': { content: LARGE },
    'layers/acme_bp/launch.toml': '',
    'layers/acme_bp/other.toml': '[types]\nlaunch = true\n',
    'layers/acme_bp/other/file': 'x',
    'layers/acme_bp/gone.toml': '[types]\ncache = true\n',
    'layers/sbom/cache/acme_bp/small/sbom.cdx.json': '{}',
  })
  await chmod(at('layers/acme_bp/small'), 0o555)
}

async function diffId(host: string, inside: string): Promise<string> {
  return diffIdOf(await packTree({ host, inside }, layers(), rules), undefined)
}

async function write(cache: Cache): Promise<string[]> {
  const report = recording()
  await exportCache({ cache, places: { layers: layers() }, rules, buildpacks: [member], report })
  return report.lines.filter(line => !line.includes(' SHA: '))
}

const kinds = {
  volume: async () =>
    Object.assign(await openVolumeCache(at('cache'), { ...rules, layers: layers() }), {
      [Symbol.asyncDispose]: async () => {},
    }),
  directory: async () => openDirectoryCache(at('cache'), { ...rules, layers: layers(), report: recording() }),
}

for (const [kind, open] of Object.entries(kinds)) {
  describe(`a ${kind} cache`, () => {
    beforeEach(prepare)
    afterEach(cleanUp)

    it('holds nothing at first', async () => {
      await using cache = await open()
      assert.equal(await cache.metadata(), undefined)
      assert.equal(
        await cache.restoreLayer(`sha256:${'0'.repeat(64)}`, at('target'), '/layers/acme_bp/small'),
        false,
      )
    })

    it('is written while the image is made, takes nothing of it before it is there, and says nothing until then', async () => {
      await build()
      await using cache = await open()
      const report = recording()
      let saved = () => {}
      const exported = new Promise<void>(resolve => (saved = resolve))
      const job = { cache, places: { layers: layers() }, rules, buildpacks: [member], exported, report }
      const writing = exportCache(job)
      for (let turns = 0; turns < 200; turns++) await turn()
      assert.equal(report.lines.length, 0)
      assert.ok((await stat(at('layers/acme_bp/large/data'))).isFile())
      assert.equal(await cache.metadata(), undefined)
      saved()
      assert.equal(await writing, true)
      assert.ok(report.lines.includes("Adding cache layer 'acme/bp:large'"))
      assert.equal((await cache.metadata())?.buildpacks[0]?.layers.size, 2)
    })

    it('stays as it was where the image fails', async () => {
      await build()
      {
        await using cache = await open()
        await write(cache)
      }
      await build()
      await writeFile(at('layers/acme_bp/large/data'), 'other')
      await using cache = await open()
      const before = await cache.metadata()
      const report = recording()
      const exported = turn().then(() => Promise.reject(new Error('the registry is gone')))
      const job = { cache, places: { layers: layers() }, rules, buildpacks: [member], exported, report }
      assert.equal(await exportCache(job), false)
      assert.deepEqual(report.lines, [])
      assert.deepEqual(await cache.metadata(), before)
      const sha = before?.buildpacks[0]?.layers.get('large')?.sha as string
      assert.equal(await cache.restoreLayer(sha, at('again'), '/layers/acme_bp/large'), true)
      assert.deepEqual(await readFile(at('again/data')), LARGE)
    })

    it('gives back, to the byte and mode, the layers that were to be cached', async () => {
      await build()
      const small = await diffId(at('layers/acme_bp/small'), '/layers/acme_bp/small')
      const large = await diffId(at('layers/acme_bp/large'), '/layers/acme_bp/large')
      {
        await using cache = await open()
        assert.deepEqual(await write(cache), [
          "Warning: Failed to cache layer 'acme/bp:gone' because it has no contents",
          "Adding cache layer 'acme/bp:large'",
          "Adding cache layer 'acme/bp:small'",
          "Adding cache layer 'buildpacksio/lifecycle:cache.sbom'",
        ])
      }
      await removeTree(at('layers'))
      await using cache = await open()
      const metadata = await cache.metadata()
      const records = metadata?.buildpacks[0]?.layers
      assert.deepEqual([...(records?.keys() ?? [])], ['large', 'small'])
      assert.deepEqual(records?.get('small'), {
        sha: small,
        launch: false,
        build: false,
        cache: true,
        data: { of: 'small' },
      })
      for (const [name, sha] of [
        ['small', small],
        ['large', large],
      ] as const) {
        const target = at(`layers/acme_bp/${name}`)
        assert.equal(await cache.restoreLayer(sha, target, `/layers/acme_bp/${name}`), true)
        assert.equal(await diffId(target, `/layers/acme_bp/${name}`), sha)
      }
      assert.equal((await stat(at('layers/acme_bp/small'))).mode & 0o777, 0o555)
      assert.equal(
        await cache.restoreLayer(metadata?.sbom?.sha as string, at('bills'), '/layers/sbom/cache'),
        true,
      )
      assert.equal(await readFile(at('bills/acme_bp/small/sbom.cdx.json'), 'utf8'), '{}')
    })

    it('says which layers it reuses, and forgets those that are no longer cached', async () => {
      await build()
      {
        await using cache = await open()
        await write(cache)
        await build()
        await rm(at('layers/acme_bp/gone.toml'))
        await removeTree(at('layers/acme_bp/small'))
        await rm(at('layers/acme_bp/small.toml'))
        assert.deepEqual(await write(cache), [
          "Reusing cache layer 'acme/bp:large'",
          "Reusing cache layer 'buildpacksio/lifecycle:cache.sbom'",
        ])
      }
      await using cache = await open()
      assert.deepEqual([...((await cache.metadata())?.buildpacks[0]?.layers.keys() ?? [])], ['large'])
    })

    it('is as it was before where nothing was committed', async () => {
      await build()
      await using cache = await open()
      await write(cache)
      const before = await cache.metadata()
      await build()
      {
        await using writing = await cache.begin()
        await appendFile(at('layers/acme_bp/large/data'), 'more')
        await writing.addLayer(at('layers/acme_bp/large'), '/layers/acme_bp/large')
        await writing.reuse(before?.buildpacks[0]?.layers.get('small')?.sha as string)
      }
      assert.deepEqual(await cache.metadata(), before)
      for (const [name, { sha }] of before?.buildpacks[0]?.layers ?? []) {
        assert.equal(await cache.restoreLayer(sha, at(`back/${name}`), `/layers/acme_bp/${name}`), true)
      }
    })

    it('does not restore what was altered in it', async () => {
      await build()
      await using cache = await open()
      await write(cache)
      const { sha } = (await cache.metadata())?.buildpacks[0]?.layers.get('large') ?? assert.fail()
      for (const file of await filesIn(at('cache')))
        if ((await stat(file)).size > LARGE.length - 1) await appendFile(file, 'x')
      assert.equal(await cache.restoreLayer(sha, at('back'), '/layers/acme_bp/large'), false)
      await assert.rejects(stat(at('back')))
      await using writing = await cache.begin()
      assert.equal(await writing.reuse(sha), false)
    })

    it('does not give a layer under another name', async () => {
      await build()
      await using cache = await open()
      await write(cache)
      const { sha } = (await cache.metadata())?.buildpacks[0]?.layers.get('small') ?? assert.fail()
      assert.equal(await cache.restoreLayer(sha, at('back'), '/layers/acme_bp/large'), false)
    })

    it('counts as empty where its metadata cannot be read', async () => {
      await build()
      {
        await using cache = await open()
        await write(cache)
      }
      for (const file of await filesIn(at('cache')))
        if (/metadata$|current\.json$/.test(file)) await writeFile(file, '{"buildpacks":')
      await using cache = await open()
      assert.equal(await cache.metadata(), undefined)
    })

    it('only warns when it cannot be written', async () => {
      await build()
      await using cache = await open()
      const failing: Cache = {
        name: cache.name,
        metadata: () => cache.metadata(),
        restoreLayer: async () => false,
        begin: () => Promise.reject(new Error('the disk is full')),
      }
      assert.deepEqual(await write(failing), ['Warning: Failed to export cache: the disk is full'])
    })
  })
}

describe('a large layer that is in no image', () => {
  beforeEach(prepare)
  afterEach(cleanUp)

  it('is known to a directory cache by what lstat says, and is found, lent, kept and replaced as any other', async () => {
    const place = '/layers/acme_bp/objects'
    const build = () => makeTree(directory.path, { 'layers/acme_bp/objects.toml': '[types]\ncache = true\n' })
    const shaOf = async (cache: Cache) =>
      (await cache.metadata())?.buildpacks[0]?.layers.get('objects')?.sha ?? assert.fail()
    await build()
    await makeTree(directory.path, { 'layers/acme_bp/objects/one': { content: LARGE } })
    {
      await using cache = await kinds.directory()
      await write(cache)
    }
    const shas: string[] = []
    for (const change of [undefined, undefined, 'two']) {
      await removeTree(at('layers'))
      await build()
      await using cache = await kinds.directory()
      shas.push(await shaOf(cache))
      const target = at('layers/acme_bp/objects')
      assert.equal(await cache.restoreLayer(shas.at(-1) as string, target, place), true)
      assert.deepEqual(await readFile(join(target, 'one')), LARGE)
      if (change) await writeFile(join(target, change), change)
      const word = change ? 'Adding' : 'Reusing'
      assert.deepEqual(await write(cache), [`${word} cache layer 'acme/bp:objects'`])
    }
    assert.equal(new Set(shas).size, 1)
    await using cache = await kinds.directory()
    assert.notEqual(await shaOf(cache), shas[0])
    assert.equal(await cache.restoreLayer(await shaOf(cache), at('back'), place), true)
    assert.deepEqual((await readdir(at('back'))).sort(), ['one', 'two'])
    assert.notEqual(await diffId(at('back'), place), await shaOf(cache))
  })
})

describe('salvageCache', () => {
  beforeEach(prepare)
  afterEach(cleanUp)

  it('keeps of a failed build what claims nothing, and of earlier ones what did not change', async () => {
    await build()
    {
      await using cache = await kinds.directory()
      await write(cache)
    }
    await removeTree(at('layers'))
    {
      await using cache = await kinds.directory()
      const records = (await cache.metadata())?.buildpacks[0]?.layers
      for (const name of ['small', 'large']) {
        const target = at(`layers/acme_bp/${name}`)
        await cache.restoreLayer(records?.get(name)?.sha as string, target, `/layers/acme_bp/${name}`)
      }
      await makeTree(directory.path, {
        'layers/acme_bp/downloads.toml': '[types]\ncache = true\n',
        'layers/acme_bp/downloads/half': { content: LARGE },
        'layers/acme_bp/claims.toml': '[types]\ncache = true\n[metadata]\nof = "source"\n',
        'layers/acme_bp/claims/half': 'x',
      })
      const options = {
        cache,
        places: { layers: layers() },
        rules,
        buildpacks: [member],
        report: recording(),
      }
      await salvageCache(options)
    }
    await removeTree(at('layers'))
    await using cache = await kinds.directory()
    const records = (await cache.metadata())?.buildpacks[0]?.layers
    assert.deepEqual([...(records?.keys() ?? [])].sort(), ['downloads', 'large', 'small'])
    const target = at('layers/acme_bp/downloads')
    await cache.restoreLayer(records?.get('downloads')?.sha as string, target, '/layers/acme_bp/downloads')
    assert.deepEqual(await readFile(join(target, 'half')), LARGE)
  })
})

describe('openVolumeCache', () => {
  beforeEach(prepare)
  afterEach(cleanUp)

  it('refuses a directory that is not there', async () => {
    await assert.rejects(
      openVolumeCache(at('none'), { ...rules, layers: layers() }),
      (error: Problem) => error.code === 'CACHE_MISSING',
    )
  })

  it('keeps layers where and as the reference does', async () => {
    await build()
    await write(await kinds.volume())
    const sha = await diffId(at('layers/acme_bp/large'), '/layers/acme_bp/large')
    const names = await readdir(at('cache/committed'))
    assert.ok(names.includes(`${sha}.tar`) && names.includes('io.buildpacks.lifecycle.cache.metadata'))
    assert.deepEqual(await readdir(at('cache')), ['committed'])
    const text = await readFile(at('cache/committed/io.buildpacks.lifecycle.cache.metadata'), 'utf8')
    assert.match(
      text,
      /^\{"sbom":\{"sha":"sha256:[0-9a-f]{64}"\},"buildpacks":\[\{"key":"acme\/bp","version":"1\.0\.0","layers":\{"large":\{"sha":"sha256:[0-9a-f]{64}","data":null,"build":false,"launch":true,"cache":true\},.*\}\}\]\}\n$/,
    )
    assert.equal(printCacheMetadata(parseCacheMetadata(text, 'a test')), text)
  })

  it('goes back to the backup of a commit that was cut off', async () => {
    await build()
    const cache = await kinds.volume()
    await write(cache)
    const before = await cache.metadata()
    await rename(at('cache/committed'), at('cache/committed-backup'))
    await mkdir(at('cache/staging'))
    assert.deepEqual(await cache.metadata(), before)
    await using writing = await cache.begin()
    assert.deepEqual((await readdir(at('cache'))).toSorted(), ['committed', 'staging'])
    assert.equal(await writing.reuse(before?.sbom?.sha as string), true)
  })

  it('unpacks nothing outside the layer', async () => {
    const cache = await kinds.volume()
    await mkdir(at('cache/committed'))
    const owner = { uid: 0, gid: 0, mtime: 0, mode: 0o755 }
    const content = Buffer.from('x')
    const hostile = [
      [{ ...owner, name: '/layers/acme_bp/other', type: 'file', size: 1, content }],
      [{ ...owner, name: '/layers/acme_bp/small/../../up', type: 'file', size: 1, content }],
      [
        { ...owner, name: '/layers/acme_bp/small', type: 'directory', size: 0 },
        { ...owner, name: '/layers/acme_bp/small/out', type: 'symlink', linkname: directory.path, size: 0 },
        { ...owner, name: '/layers/acme_bp/small/out/file', type: 'file', size: 1, content },
      ],
    ] as const
    for (const entries of hostile) {
      const bytes = await readAll(packTar(entries))
      const sha = digestOf(bytes)
      await writeFile(at(`cache/committed/${sha}.tar`), bytes)
      assert.equal(await cache.restoreLayer(sha, at('into/small'), '/layers/acme_bp/small'), false)
      await assert.rejects(stat(at('into/small')))
    }
    assert.deepEqual((await readdir(directory.path)).toSorted(), ['cache', 'into'])
  })
})

describe('openDirectoryCache', () => {
  beforeEach(prepare)
  afterEach(cleanUp)

  it('moves large layers out and back without copying them', async () => {
    await build()
    const inode = (await stat(at('layers/acme_bp/large/data'))).ino
    {
      await using cache = await kinds.directory()
      await write(cache)
      await assert.rejects(stat(at('layers/acme_bp/large')))
    }
    await using cache = await kinds.directory()
    const { sha } = (await cache.metadata())?.buildpacks[0]?.layers.get('large') ?? assert.fail()
    await build()
    assert.equal(await cache.restoreLayer(sha, at('layers/acme_bp/large'), '/layers/acme_bp/large'), true)
    assert.equal((await stat(at('layers/acme_bp/large/data'))).ino, inode)
    assert.deepEqual(
      (await write(cache)).filter(line => line.includes('large')),
      ["Reusing cache layer 'acme/bp:large'"],
    )
  })

  it('takes back what a failed build did not touch, and nothing else', async () => {
    await build()
    {
      await using cache = await kinds.directory()
      await write(cache)
    }
    const find = async (cache: Cache) => (await cache.metadata())?.buildpacks[0]?.layers.get('large')?.sha
    for (const touch of [false, true]) {
      {
        await using cache = await kinds.directory()
        const sha = (await find(cache)) ?? assert.fail()
        assert.equal(await cache.restoreLayer(sha, at('layers/acme_bp/large'), '/layers/acme_bp/large'), true)
        if (touch) await writeFile(at('layers/acme_bp/large/new'), '')
      }
      await using cache = await kinds.directory()
      assert.equal((await find(cache)) === undefined, touch)
    }
  })

  it('throws away directories that nothing names', async () => {
    await mkdir(at('cache/layers'))
    await makeTree(directory.path, { [`cache/layers/${'ab'.repeat(16)}/file`]: 'half' })
    await using _cache = await kinds.directory()
    assert.deepEqual(await readdir(at('cache/layers')), [])
  })

  it('is open once at a time, and says that it waits', async () => {
    const first = await kinds.directory()
    const report = recording()
    const abort = new AbortController()
    const second = openDirectoryCache(at('cache'), {
      ...rules,
      layers: layers(),
      report,
      signal: abort.signal,
    })
    abort.abort()
    await assert.rejects(second, { name: 'AbortError' })
    assert.deepEqual(report.lines, ['Waiting for another build of this image to end ...'])
    await first[Symbol.asyncDispose]()
    await using _cache = await kinds.directory()
  })
})

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
}
