import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type TarEntry, temporaryDirectory } from '#std'
import { filesOf, makeDeb } from '../sources/deb.testing.ts'
import { unpackDebs } from './unpack-debs.ts'

async function unpacked(...packages: (readonly TarEntry[])[]) {
  const place = await temporaryDirectory(tmpdir(), 'unpack-test-')
  const debs: string[] = []
  for (const [index, entries] of packages.entries()) {
    const path = join(place.path, `${index}.deb`)
    await writeFile(path, await makeDeb({ control: 'Package: x\nVersion: 1', entries }))
    debs.push(path)
  }
  const root = join(place.path, 'deep', 'root')
  const failure = await unpackDebs(debs, root).catch(error => error)
  return { root, place: place.path, failure, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() }
}

const entry = (name: string, type: TarEntry['type'], more: Partial<TarEntry> = {}): TarEntry => ({
  name,
  type,
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  size: 0,
  ...more,
})

describe('unpacking packages', () => {
  it('writes files, links and modes, merged below usr, and keeps no set-id bit', async () => {
    const content = Buffer.from('x')
    await using result = await unpacked([
      entry('./bin/', 'directory'),
      entry('./bin/su', 'file', { mode: 0o4755, size: 1, content }),
      entry('./usr/bin/again', 'link', { linkname: './bin/su' }),
      entry('./lib64/ld.so', 'symlink', { linkname: '/lib/ld.so' }),
      entry('./etc/secret', 'file', { mode: 0o640, size: 1, content }),
    ])
    assert.equal(result.failure, undefined)
    assert.equal(lstatSync(join(result.root, 'usr/bin/su')).mode & 0o7777, 0o755)
    assert.equal(
      lstatSync(join(result.root, 'usr/bin/su')).ino,
      lstatSync(join(result.root, 'usr/bin/again')).ino,
    )
    assert.ok(lstatSync(join(result.root, 'usr/lib64/ld.so')).isSymbolicLink())
    assert.equal(lstatSync(join(result.root, 'etc/secret')).mode & 0o7777, 0o640)
    assert.equal(readFileSync(join(result.root, 'usr/bin/again'), 'utf8'), 'x')
  })

  const hostile: readonly [string, string, readonly TarEntry[]][] = [
    ['paths that lead upwards', 'BASE_UNPACK_REFUSED', filesOf({ '../outside': 'x' })],
    [
      'hard links to what they do not bring',
      'BASE_UNPACK_REFUSED',
      [entry('./a', 'link', { linkname: '/etc/passwd' })],
    ],
    ['hard links that lead upwards', 'BASE_UNPACK_REFUSED', [entry('./a', 'link', { linkname: '../../x' })]],
    ['devices', 'BASE_UNPACK_REFUSED', [entry('./dev/sda', 'block', { device: { major: 8, minor: 0 } })]],
    ['FIFOs', 'BASE_UNPACK_REFUSED', [entry('./pipe', 'fifo')]],
    ['names longer than a file system takes', 'BASE_UNPACK_REFUSED', filesOf({ ['n'.repeat(256)]: 'x' })],
    [
      'paths longer than a system call takes',
      'BASE_UNPACK_REFUSED',
      filesOf({ [`${'d/'.repeat(600)}f`]: 'x' }),
    ],
    ['a file twice', 'BASE_FILES_CLASH', [...filesOf({ a: 'x' }), ...filesOf({ a: 'y' })]],
    [
      'a path through a link to elsewhere',
      'BASE_FILES_CLASH',
      [entry('./etc', 'symlink', { linkname: '/tmp' }), ...filesOf({ 'etc/x': 'x' })],
    ],
    ['a path through a file', 'BASE_FILES_CLASH', [...filesOf({ a: 'x', 'a/b': 'y' })]],
  ]
  for (const [what, code, entries] of hostile) {
    it(`refuses ${what}, and leaves nothing`, async () => {
      await using result = await unpacked(entries)
      assert.equal(result.failure?.code, code, String(result.failure))
      assert.ok(!existsSync(join(result.root, '..', 'outside')))
      assert.deepEqual(readdirSync(join(result.root, '..')), [])
    })
  }

  it('lets a package hide nothing of another one', async () => {
    await using result = await unpacked(
      filesOf({ 'usr/bin/tool': 'mine' }),
      filesOf({ 'bin/tool': 'theirs' }),
    )
    assert.equal(result.failure?.code, 'BASE_FILES_CLASH')
  })
})
