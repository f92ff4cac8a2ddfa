import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Layer } from '#oci'
import { readAll, readTar } from '#std'
import { poolPath } from '../sources/debian-mirror.testing.ts'
import { PACKAGES, type TestGround, testGround, testRecipe } from './base.testing.ts'
import { lockBase } from './lock-base.ts'
import { openBase } from './open-base.ts'
import { SBOM_LABEL } from './sbom.ts'
import { storeBase } from './store-base.ts'
import { fetchTool } from './tool.ts'

const TARGET = { release: 'trixie', arch: 'amd64' } as const

async function filesIn(layer: Layer | undefined) {
  const found = new Map<string, { mode: number; owner: string; text: string; mtime: number }>()
  for await (const entry of readTar((await layer?.uncompressed()) ?? assert.fail('no layer'))) {
    const { name, type, mode, uid, gid, linkname, content, mtime } = entry
    const text = type === 'file' ? (await readAll(content)).toString() : `${type} ${linkname ?? ''}`.trim()
    found.set(name.toString(), { mode, owner: `${uid}:${gid}`, text, mtime })
  }
  return found
}

async function made(given: TestGround, recipe = testRecipe()) {
  const lock = await lockBase(recipe, TARGET, given.context)
  return { lock, image: await storeBase(recipe, lock, given.store, ['run:test'], given.context) }
}

describe('the image of a base', () => {
  it('has what packages bring, slimmed and merged, what scripts would have made, accounts and mount points', async () => {
    await using given = await testGround()
    const files = await filesIn((await made(given)).image.layers[0])
    const text = (path: string) => files.get(path)?.text
    assert.equal(text('usr/bin/hello'), '#!/bin/sh\necho hello\n')
    assert.equal(text('bin'), 'symlink usr/bin')
    assert.equal(text('usr/lib/libhello.so.1'), 'ELF\n')
    assert.equal(text('etc/profile'), 'umask 022\n')
    assert.equal(text('usr/share/doc/hello/copyright'), 'free\n')
    for (const gone of [
      'usr/share/doc/hello/README',
      'usr/share/man/man1/hello.1.gz',
      'usr/share/locale/de/LC_MESSAGES/hello.mo',
    ])
      assert.equal(text(gone), undefined, gone)
    assert.match(text('etc/passwd') ?? '', /^cnb:x:1001:1001:cnb:\/home\/cnb:/m)
    for (const path of ['workspace/', 'layers/', 'home/cnb/'])
      assert.equal(files.get(path)?.owner, '1001:1001', path)
    assert.equal(files.get('tmp/')?.mode, 0o1777)
    assert.deepEqual([...new Set([...files.values()].map(({ mtime }) => mtime))], [315532801])
    assert.deepEqual([...files.keys()], [...files.keys()].toSorted())
  })

  it("has dpkg's records", async () => {
    await using given = await testGround()
    const files = await filesIn((await made(given)).image.layers[0])
    const status = files.get('var/lib/dpkg/status')?.text ?? ''
    assert.match(status, /^Package: hello\nStatus: install ok installed\nVersion: 1:2\.10-1\n/m)
    assert.equal(status.match(/^Package: /gm)?.length, 3)
    assert.match(
      files.get('var/lib/dpkg/info/libhello:amd64.list')?.text ?? '',
      /^\/usr\/lib\/libhello\.so\.1$/m,
    )
    assert.equal(files.get('var/lib/dpkg/info/format')?.text, '1\n')
    assert.ok(![...files.keys()].some(path => /\.(?:postinst|preinst)$/.test(path)))
  })

  it('has bills of materials in a layer of their own, named by a label', async () => {
    await using given = await testGround()
    const { image, lock } = await made(given)
    const layer = image.layers.find(({ diffId }) => diffId === image.config.config?.Labels?.[SBOM_LABEL])
    assert.equal(layer, image.layers[1])
    const files = await filesIn(layer)
    const [cyclone] = [...files].filter(([path]) => path.endsWith('.cdx.json'))
    const { components } = JSON.parse(cyclone?.[1].text ?? '') as {
      components: { name: string; purl: string; hashes?: { content: string }[] }[]
    }
    assert.deepEqual(
      components.map(({ name }) => name),
      ['debian', 'base-files', 'hello', 'libhello'],
    )
    assert.equal(components[2]?.purl, 'pkg:deb/debian/hello@1:2.10-1?arch=amd64&distro=debian-13')
    assert.equal(
      components[3]?.purl,
      'pkg:deb/debian/libhello@1.0-1?arch=amd64&distro=debian-13&upstream=hello-src',
    )
    assert.equal(components[2]?.hashes?.[0]?.content, lock.packages[1]?.sha256)
    assert.ok([...files.keys()].some(path => /^cnb\/sbom\/[0-9a-f]{8}\.spdx\.json$/.test(path)))
  })

  it('says what it is in labels for new and for old tools', async () => {
    await using given = await testGround()
    const { image } = await made(given)
    const labels = image.config.config?.Labels ?? {}
    assert.equal(labels['io.buildpacks.base.distro.name'], 'debian')
    assert.equal(labels['io.buildpacks.base.distro.version'], '13')
    assert.equal(labels['io.buildpacks.base.released'], '2026-01-01')
    for (const name of ['id', 'maintainer', 'homepage', 'description'])
      assert.equal(labels[`io.buildpacks.base.${name}`], labels[`io.buildpacks.stack.${name}`], name)
    assert.deepEqual(JSON.parse(labels['io.buildpacks.stack.mixins'] ?? ''), [
      'base-files',
      'hello',
      'libhello',
    ])
    assert.equal(image.config.config?.User, '1001:1001')
    assert.equal(image.config.architecture, 'amd64')
  })

  it('is the same on another machine, and from packages that were decoded before', async () => {
    await using one = await testGround()
    await using other = await testGround()
    const { image, lock } = await made(one)
    const context = { ...other.context, archive: one.mirror.archive(other.home) }
    const elsewhere = await storeBase(testRecipe(), lock, other.store, [], context)
    assert.equal(elsewhere.digest, image.digest)
    await rm(join(one.home, 'images'), { recursive: true })
    await rm(join(one.home, 'bases'), { recursive: true })
    const again = await storeBase(testRecipe(), lock, one.store, [], one.again())
    assert.equal(again.digest, image.digest)
  })

  it('is made of decoded packages only as long as these are whole', async () => {
    await using given = await testGround()
    const { image, lock } = await made(given)
    for (const name of readdirSync(join(given.home, 'packages')))
      await writeFile(join(given.home, 'packages', name, 'listing.json'), '{"entries":[')
    await rm(join(given.home, 'bases'), { recursive: true })
    assert.equal((await storeBase(testRecipe(), lock, given.store, [], given.again())).digest, image.digest)
  })

  it('is neither fetched nor made twice, also by two at once', async () => {
    await using given = await testGround()
    const recipe = testRecipe()
    const lock = await lockBase(recipe, TARGET, given.context)
    const before = given.mirror.asked.length
    const names = ['a', 'b', 'c']
    const images = await Promise.all(
      names.map(name => storeBase(recipe, lock, given.store, [name], given.again())),
    )
    assert.equal(new Set(images.map(({ digest }) => digest)).size, 1)
    assert.equal(given.mirror.asked.length, before)
    assert.equal((await given.store.list()).length, 3)
  })

  it('is made anew where the store has lost its layer', async () => {
    await using given = await testGround()
    const { image, lock } = await made(given)
    await given.store.remove(['run:test'])
    await given.store.gc()
    const again = await storeBase(testRecipe(), lock, given.store, ['run:test'], given.again())
    assert.equal(again.digest, image.digest)
    assert.equal((await filesIn(again.layers[0])).get('bin')?.text, 'symlink usr/bin')
  })

  it('changes only with its packages', async () => {
    await using given = await testGround()
    const { image, lock } = await made(given)
    const other = { ...lock, packages: lock.packages.filter(({ name }) => name !== 'libhello') }
    const smaller = await storeBase(testRecipe(), other, given.store, [], given.context)
    assert.notEqual(smaller.layers[0]?.diffId, image.layers[0]?.diffId)
    assert.equal((await filesIn(smaller.layers[0])).get('usr/lib/libhello.so.1'), undefined)
  })
})

describe('the tree of a base', () => {
  it('is unpacked once, with files that belong to the caller', async () => {
    await using given = await testGround()
    const recipe = { ...testRecipe(), role: 'build' as const }
    const lock = await lockBase(recipe, TARGET, given.context)
    const places = await Promise.all([1, 2].map(() => openBase(recipe, lock, given.again())))
    const [place = ''] = places
    assert.equal(places[1], place)
    assert.equal(readFileSync(join(place, 'usr/bin/hello'), 'utf8'), '#!/bin/sh\necho hello\n')
    assert.equal(lstatSync(join(place, 'bin')).isSymbolicLink(), true)
    assert.equal(lstatSync(join(place, 'workspace')).uid, process.getuid?.())
    for (const path of [
      'workspace',
      'layers',
      'platform',
      'cnb/buildpacks',
      'home/cnb',
      'tmp',
      'proc',
      'dev',
      'sys',
      'run',
    ])
      assert.ok(lstatSync(join(place, path)).isDirectory(), path)
    assert.deepEqual(readdirSync(join(given.home, 'trees')), [place.slice(place.lastIndexOf('/') + 1)])
    assert.deepEqual(readdirSync(join(given.home, 'builds')), [])
  })

  it('sweeps away what a killed process left', async () => {
    await using given = await testGround()
    const recipe = testRecipe()
    const lock = await lockBase(recipe, TARGET, given.context)
    // Process 1 started at boot, so it is never one that was started later.
    await mkdir(join(given.home, 'trees', '.new-4194304-1-abcdef', 'tree'), { recursive: true })
    const place = await openBase(recipe, lock, given.context)
    assert.deepEqual(readdirSync(join(given.home, 'trees')), [place.slice(place.lastIndexOf('/') + 1)])
  })
})

describe('fetchTool', () => {
  it('unpacks a program with its loader, once', async () => {
    const tool = {
      name: 'tool',
      version: '1',
      arch: 'amd64',
      files: { 'usr/bin/tool': 'ELF', 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2': 'ELF' },
    }
    await using given = await testGround([...PACKAGES, tool])
    const recipe = { ...testRecipe(), name: 'tool:tool', role: 'tool' as const, packages: ['tool'] }
    const lock = await lockBase(recipe, TARGET, given.context)
    const found = await fetchTool(recipe, lock, 'usr/bin/tool', given.context)
    assert.equal(readFileSync(found.binary, 'utf8'), 'ELF')
    assert.equal(found.loader, join(found.libraryPath, 'ld-linux-x86-64.so.2'))
    given.mirror.files.delete(poolPath(tool))
    assert.deepEqual(await fetchTool(recipe, lock, 'usr/bin/tool', given.again()), found)
    await assert.rejects(
      fetchTool(
        recipe,
        { ...lock, excluded: {}, packages: lock.packages.slice(0, 0) },
        'usr/bin/tool',
        given.context,
      ),
      {
        code: 'BASE_UNPACK_REFUSED',
      },
    )
  })
})
