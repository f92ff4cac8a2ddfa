import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, link, mkdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { digestOf, type Problem, readAll, type TemporaryDirectory, temporaryDirectory } from '#std'
import { type DirectoryLayer, layerTar, parentEntries, unpackable } from './layer-tar.ts'
import { cutSlices, type Slice } from './slices.ts'
import { launcherTar, processTypesTar } from './synthetic-layers.ts'
import { makeTree } from './tree.testing.ts'
import { scanTree } from './tree.ts'

const owner = { uid: 1001, gid: 1000 }
const rules = { owner, parents: 'fixed' } as const

/** The golden vector: digests that the reference lifecycle 0.21.17 gave for this tree (Platform API 0.15, umask 022). */
const GOLDEN = {
  dep: 'sha256:15f58ae4bc12582c96308238baf2a697d2a001c9ca63cfbf735b28110aea65a8',
  sbom: 'sha256:120601953533b1260c3a9ee4e991869d037a8372d893e659a8aca3dffa7c8e27',
  static: 'sha256:52bbaa9f9a0449a29fa2a38c692630375b559b4bf40b9eb57ccffc7faf8bc54d',
  rest: 'sha256:4dce7f03968c10ca4e8e60db33334206a1a1d55a3f479c512a5fa28ff285609d',
  launcher: 'sha256:8475258d00206dcadd7e488eb1f74481d4ffa775eafc8847cb1064c85676acc9',
  webAndWorker: 'sha256:c32b6c6d08c5d84a980a518d1dd9093c22b9e003f2b6b468f12fe1e7cd918b3f',
  web: 'sha256:83d85471d9f8a3834b4e27cf701e3f0aef220cc816d9c173c7d32cd73909a590',
  empty: 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
}

describe('layers of the golden vector', () => {
  let directory: TemporaryDirectory
  before(async () => {
    directory = await temporaryDirectory(tmpdir(), 'layers-')
    await makeTree(directory.path, {
      'layers/acme_bp/dep/a/x': '1\n',
      'layers/acme_bp/dep/a-b': '2\n',
      'layers/acme_bp/dep/bin/run': { content: '#!/bin/sh\n', mode: 0o755 },
      'layers/acme_bp/dep/link': { link: 'bin/run' },
      'layers/sbom/launch/sbom.legacy.json': 'null\n',
      'workspace/static/index.html': '<html>\n',
      'workspace/static/css/s.css': 'c\n',
      'workspace/a/x': '1\n',
      'workspace/a-b': '2\n',
      'workspace/app.txt': { content: 'hi\n', mode: 0o600 },
      launcher: { content: 'launcher-bytes\n', mode: 0o600 },
    })
  })
  after(() => directory[Symbol.asyncDispose]())

  const place = (inside: string) => ({ host: join(directory.path, inside), inside })

  async function layer(inside: string, change: Partial<DirectoryLayer> = {}): Promise<string> {
    const top = place(`/${inside.split('/')[1]}`)
    const entries = await scanTree(place(inside).host)
    const parents = await parentEntries(place(inside), top, rules)
    return digestOf(await readAll(layerTar({ place: place(inside), entries, parents, owner, ...change })))
  }

  async function slices(wanted: readonly Slice[]): Promise<string[]> {
    const app = place('/workspace')
    const cut = cutSlices(await scanTree(app.host), wanted, app.inside)
    const tars = cut.map(entries =>
      readAll(layerTar({ place: app, entries, parents: [], owner, rootMode: 0o755 })),
    )
    return (await Promise.all(tars)).map(digestOf)
  }

  it('has the directory layer', async () => assert.equal(await layer('/layers/acme_bp/dep'), GOLDEN.dep))

  it('has the bill of materials, whatever umask it was written with', async () => {
    await chmod(join(directory.path, 'layers/sbom/launch/sbom.legacy.json'), 0o600)
    await chmod(join(directory.path, 'layers/sbom/launch'), 0o700)
    assert.equal(
      await layer('/layers/sbom/launch', { modes: { file: 0o644, directory: 0o755 } }),
      GOLDEN.sbom,
    )
  })

  it('has the slice and the rest', async () => {
    assert.deepEqual(await slices([{ paths: ['static/*'] }]), [GOLDEN.static, GOLDEN.rest])
  })

  it('takes absolute patterns from the app directory', async () => {
    assert.deepEqual(await slices([{ paths: ['/workspace/static/*', '/elsewhere/*'] }]), [
      GOLDEN.static,
      GOLDEN.rest,
    ])
  })

  it('has an empty layer for a slice that matches nothing', async () => {
    const [first, second] = await slices([{ paths: ['none', '.', '/static/*'] }, { paths: ['static/*'] }])
    assert.deepEqual([first, second], [GOLDEN.empty, GOLDEN.static])
  })

  it('has an empty rest where everything was taken', async () => {
    assert.equal((await slices([{ paths: ['*'] }]))[1], GOLDEN.empty)
  })

  it('has the launcher and the process types', async () => {
    assert.equal(
      digestOf(await readAll(await launcherTar(join(directory.path, 'launcher')))),
      GOLDEN.launcher,
    )
    assert.equal(digestOf(await readAll(processTypesTar(['web', 'worker']))), GOLDEN.webAndWorker)
    assert.equal(digestOf(await readAll(processTypesTar(['web']))), GOLDEN.web)
  })

  it('says the owner and modes of the directories above, and not those on disk', async () => {
    const before = await layer('/layers/acme_bp/dep')
    await chmod(join(directory.path, 'layers/acme_bp'), 0o700)
    assert.equal(await layer('/layers/acme_bp/dep'), before)
  })
})

describe('layerTar', () => {
  it('repeats the content of hard links and leaves out what a layer cannot hold', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'layers-')
    const root = join(directory.path, 'app')
    await makeTree(directory.path, { 'app/one': 'same\n' })
    await link(join(root, 'one'), join(root, 'two'))
    await symlink('/nowhere', join(root, 'dangling'))
    const without = await scanTree(root)
    execFileSync('mkfifo', [join(root, 'pipe')])
    const entries = await scanTree(root)
    const place = { host: root, inside: '/workspace' }
    const bytes = await readAll(layerTar({ place, entries, parents: [], owner }))
    assert.deepEqual(bytes, await readAll(layerTar({ place, entries: without, parents: [], owner })))
    assert.equal(bytes.toString('latin1').match(/same\n/g)?.length, 2)
    assert.deepEqual(
      unpackable(entries).map(({ path, type }) => ({ path, type })),
      [{ path: 'pipe', type: 'fifo' }],
    )
  })

  it('keeps names that are not UTF-8', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'layers-')
    await writeFile(Buffer.concat([Buffer.from(`${directory.path}/`), Buffer.from([0xff, 0xe4])]), 'x')
    const entries = await scanTree(directory.path)
    const bytes = await readAll(
      layerTar({ place: { host: directory.path, inside: '/workspace' }, entries, parents: [], owner }),
    )
    assert.ok(bytes.includes(Buffer.from([0x2f, 0xff, 0xe4])))
  })

  it('refuses a file that grows or shrinks while it is read', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'layers-')
    for (const size of [10, 3 << 20]) {
      const file = join(directory.path, 'file')
      await writeFile(file, Buffer.alloc(size))
      const entries = await scanTree(directory.path)
      for (const now of [size - 1, size + 1]) {
        await writeFile(file, Buffer.alloc(now))
        const tar = layerTar({ place: { host: directory.path, inside: '/w' }, entries, parents: [], owner })
        await assert.rejects(readAll(tar), /changed while it was read/)
      }
    }
  })

  it('names the path that cannot be read', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'layers-')
    await makeTree(directory.path, { 'app/deep/file': 'x' })
    const entries = await scanTree(join(directory.path, 'app'))
    await mkdir(join(directory.path, 'empty'))
    const tar = layerTar({
      place: { host: join(directory.path, 'empty'), inside: '/w' },
      entries,
      parents: [],
      owner,
    })
    await assert.rejects(
      readAll(tar),
      (error: Problem) =>
        error.code === 'TREE_UNREADABLE' && error.exitCode === 62 && /deep\/file/.test(error.why),
    )
  })
})
