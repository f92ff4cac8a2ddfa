import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type Digest, digestOf, type TemporaryDirectory, temporaryDirectory } from '#std'
import type { DirectoryLayer } from './layer-tar.ts'
import { type Fingerprint, fingerprintOf, StatIndex } from './stat-index.ts'
import { makeTree } from './tree.testing.ts'
import { scanTree, type TreeEntry } from './tree.ts'

let directory: TemporaryDirectory
const prepare = async () => {
  directory = await temporaryDirectory(tmpdir(), 'stats-')
}
const cleanUp = () => directory[Symbol.asyncDispose]()

const at = (name: string) => join(directory.path, name)
const owner = { uid: 1001, gid: 1000 }
const entry: TreeEntry = {
  path: 'file',
  type: 'file',
  mode: 0o644,
  size: 3,
  inode: 7n,
  mtimeNs: 1_000_000_005n,
  ctimeNs: 2_000_000_007n,
}
const layer: DirectoryLayer = {
  place: { host: '/tmp/x', inside: '/layers/a' },
  entries: [entry],
  parents: [],
  owner,
}

async function treeLayer(): Promise<DirectoryLayer> {
  return { ...layer, entries: await scanTree(at('tree')) }
}

describe('fingerprintOf', () => {
  beforeEach(prepare)
  afterEach(cleanUp)

  it('changes with all that goes into the tar, and with the times and the inode of files', () => {
    const changes: DirectoryLayer[] = [
      { ...layer, place: { host: '/tmp/x', inside: '/layers/b' } },
      { ...layer, owner: { uid: 1, gid: 1000 } },
      { ...layer, modes: { file: 0o600, directory: 0o755 } },
      {
        ...layer,
        parents: [{ name: '/layers', type: 'directory', mode: 0o755, ...owner, mtime: 0, size: 0 }],
      },
      { ...layer, entries: [] },
      { ...layer, entries: [entry, { ...entry, path: 'other' }] },
      ...[
        { path: 'other' },
        { mode: 0o755 },
        { size: 4 },
        { inode: 8n },
        { mtimeNs: 6n },
        { ctimeNs: 2_000_000_008n },
        { type: 'directory' as const },
      ].map(change => ({
        ...layer,
        entries: [{ ...entry, ...change }],
      })),
    ]
    const digests = [layer, ...changes].map(each => fingerprintOf(each).digest)
    assert.equal(new Set(digests).size, digests.length)
  })

  it('stays where the directory is moved as a whole', async () => {
    await makeTree(directory.path, { 'tree/a/file': 'x', 'tree/link': { link: 'a' } })
    const before = fingerprintOf(await treeLayer())
    await mkdir(at('elsewhere'))
    await rename(at('tree'), at('elsewhere/moved'))
    const moved = { ...layer, entries: await scanTree(at('elsewhere/moved')) }
    assert.equal(fingerprintOf(moved).digest, before.digest)
  })

  it('notices what keeps size and time of a file', async () => {
    await makeTree(directory.path, { 'tree/file': 'one' })
    const time = new Date(315_532_801_000)
    await utimes(at('tree/file'), time, time)
    const before = fingerprintOf(await treeLayer())
    await rm(at('tree/file'))
    await writeFile(at('tree/file'), 'two')
    await chmod(at('tree/file'), 0o644)
    await utimes(at('tree/file'), time, time)
    assert.notEqual(fingerprintOf(await treeLayer()).digest, before.digest)
  })

  it('is settled only two ticks of the clock after the last change, or two seconds where clocks are coarse', () => {
    assert.equal(fingerprintOf(layer).settled, 2_020_000_007n)
    assert.equal(
      fingerprintOf({ ...layer, entries: [{ ...entry, ctimeNs: 5_000_000_000n }] }).settled,
      7_000_000_000n,
    )
    const link = { ...entry, type: 'symlink' as const, linkname: 'a', ctimeNs: 9n * 10n ** 18n }
    assert.equal(fingerprintOf({ ...layer, entries: [link] }).settled, 0n)
  })
})

describe('StatIndex', () => {
  beforeEach(prepare)
  afterEach(cleanUp)

  const settled = (name: string): Fingerprint => ({ digest: digestOf(name), settled: 1n })
  const far = 9n * 10n ** 18n

  async function ask(index: StatIndex, fingerprint: Fingerprint, diffId: Digest): Promise<boolean> {
    let read = false
    await index.diffId(fingerprint, async () => {
      read = true
      return diffId
    })
    return read
  }

  it('reads once, and remembers across instances', async () => {
    assert.equal(await ask(new StatIndex(at('index')), settled('a'), digestOf('1')), true)
    assert.equal(await ask(new StatIndex(at('index')), settled('a'), digestOf('2')), false)
    assert.equal(await new StatIndex(at('index')).diffId(settled('a'), () => assert.fail()), digestOf('1'))
    assert.equal(await ask(new StatIndex(at('index')), settled('b'), digestOf('2')), true)
  })

  it('does not trust files that may still change unnoticed', async () => {
    const index = new StatIndex(at('index'))
    for (let round = 0; round < 2; round++)
      assert.equal(await ask(index, { digest: digestOf('a'), settled: far }, digestOf('1')), true)
    assert.deepEqual(await readdir(at('index')), [])
  })

  it('reads again where an entry is cut, altered, or another one', async () => {
    const index = new StatIndex(at('index'))
    await ask(index, settled('a'), digestOf('1'))
    const [file] = await readdir(at('index'))
    const path = at(`index/${file}`)
    for (const damage of ['', `${digestOf('2')} ${digestOf('3')}\n`, `${digestOf('1')}`, 'x'.repeat(144)]) {
      await writeFile(path, damage)
      assert.equal(await ask(index, settled('a'), digestOf('1')), true, damage)
      assert.equal(await ask(index, settled('a'), digestOf('1')), false)
    }
    await rename(path, at(`index/${digestOf('b').slice(7)}`))
    assert.equal(await ask(index, settled('b'), digestOf('2')), true)
  })

  it('leaves nothing behind where reading fails', async () => {
    const index = new StatIndex(at('index'))
    await assert.rejects(
      index.diffId(settled('a'), () => Promise.reject(new Error('unreadable'))),
      /unreadable/,
    )
    assert.deepEqual(await readdir(at('index')), [])
  })

  it('forgets', async () => {
    const index = new StatIndex(at('index'))
    await ask(index, settled('a'), digestOf('1'))
    await index.forget(settled('a'))
    assert.equal(await ask(index, settled('a'), digestOf('1')), true)
  })

  it('keeps no more entries than it may', async () => {
    const index = new StatIndex(at('index'), 10)
    for (let count = 0; count < 40; count++) await ask(index, settled(`${count}`), digestOf('1'))
    assert.ok((await readdir(at('index'))).length <= 10)
    assert.equal(await ask(index, settled('39'), digestOf('1')), false)
  })
})
