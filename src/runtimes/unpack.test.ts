import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { packTar, type TarEntry, temporaryDirectory } from '#std'
import type { Tree } from './tree.ts'
import { refuseEscapes, stage, unpackTarGz } from './unpack.ts'

const file = (name: string, content = 'x', mode = 0o644): TarEntry => {
  const bytes = Buffer.from(content)
  return { name, type: 'file', mode, uid: 0, gid: 0, mtime: 0, size: bytes.length, content: bytes }
}
const link = (name: string, linkname: string, type: 'symlink' | 'link' = 'symlink'): TarEntry => ({
  name,
  type,
  mode: 0o777,
  uid: 0,
  gid: 0,
  mtime: 0,
  size: 0,
  linkname,
})
const directory = (name: string): TarEntry => ({
  name,
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  size: 0,
})

async function unpacked(entries: TarEntry[], limits?: { entries: number; bytes: number }) {
  await using place = await temporaryDirectory(tmpdir())
  const archive = join(place.path, 'archive')
  await writeFile(archive, gzipSync(Buffer.concat(await packTar(entries).toArray())))
  await using content = await temporaryDirectory(place.path)
  const tree: Tree = new Map()
  try {
    await unpackTarGz(archive, tree, { directory: content.path, count: 0 }, 'a.tgz', limits)
    refuseEscapes(tree, 'a.tgz')
    const texts = new Map<string, string>()
    for (const [path, node] of tree)
      if (node.type === 'file') texts.set(path, await readFile(node.content, 'utf8'))
    return { tree, texts }
  } finally {
    // Whatever an archive says: only numbers reach the disk, and only in the staging directory.
    assert.ok((await readdir(content.path)).every(name => /^\d+$/.test(name)))
    assert.deepEqual((await readdir(place.path)).length, 2)
  }
}

describe('unpacking', () => {
  it('keeps paths, contents, programs and links', async () => {
    const { tree, texts } = await unpacked([
      directory('./'),
      directory('./bin/'),
      file('./bin/run', '#!', 0o755),
      file('lib/a/b', 'B'),
      link('lib/c', 'a/b'),
      link('hard', 'lib/a/b', 'link'),
    ])
    assert.deepEqual(
      [...texts],
      [
        ['bin/run', '#!'],
        ['lib/a/b', 'B'],
        ['hard', 'B'],
      ],
    )
    assert.deepEqual(tree.get('lib/c'), { type: 'symlink', target: 'a/b' })
    assert.equal((tree.get('bin/run') as { executable: boolean }).executable, true)
    assert.equal((tree.get('lib/a/b') as { executable: boolean }).executable, false)
  })

  const hostile: [string, TarEntry[], RegExp][] = [
    ['a name that climbs out', [file('../evil')], /leads elsewhere/],
    ['a name that climbs out in the middle', [file('a/../../evil')], /leads elsewhere/],
    ['an absolute name', [file('/etc/evil')], /absolute/],
    ['a name with a backslash', [file('..\\evil')], /forbidden/],
    ['a name with a line break', [file('a\nb')], /forbidden/],
    ['a name that is not UTF-8', [{ ...file('x'), name: Buffer.from([0x61, 0xff]) }], /forbidden/],
    ['an overlong part of a name', [file('x'.repeat(256))], /255/],
    ['a file below a link', [link('lib', '/etc'), file('lib/passwd')], /no directory/],
    ['a file below a file', [file('a'), file('a/b')], /no directory/],
    ['a file in place of a link', [link('a', 'b'), file('a')], /twice/],
    ['a link in place of a directory', [file('a/b'), link('a', '/etc')], /twice/],
    ['two files of one name', [file('a', '1'), file('./a', '2')], /twice/],
    ['a hard link to a file outside', [link('a', '/etc/passwd', 'link')], /absolute/],
    ['a hard link that climbs out', [link('a', '../../etc/passwd', 'link')], /leads elsewhere/],
    ['a hard link through a link', [link('l', '/etc'), link('a', 'l/passwd', 'link')], /no file before it/],
    ['a link to a place outside', [link('a', '/etc/passwd')], /out of the archive/],
    ['a link that climbs out', [link('b/a', '../../etc')], /out of the archive/],
    [
      'two links that climb out together',
      [directory('d/e'), link('d/e/up', '../..'), link('x', 'd/e/up/../evil')],
      /leads (?:out|nowhere)/,
    ],
    ['a link that leads nowhere', [link('a', 'b')], /nowhere/],
    ['a circle of links', [link('a', 'b'), link('b', 'a')], /nowhere/],
    ['a device', [{ ...directory('null'), type: 'character' }], /is a character/],
    ['a named pipe', [{ ...directory('pipe'), type: 'fifo' }], /is a fifo/],
  ]
  for (const [what, entries, why] of hostile) {
    it(`refuses ${what}`, () =>
      assert.rejects(unpacked(entries), { code: 'RUNTIME_ARCHIVE_REFUSED', message: why }))
  }

  it('refuses bombs, by number and by size', async () => {
    const limits = { entries: 3, bytes: 1000 }
    await unpacked([file('a'), file('b'), file('c')], limits)
    await assert.rejects(unpacked([file('a'), file('b'), file('c'), file('d')], limits), {
      code: 'TAR_MALFORMED',
    })
    await assert.rejects(unpacked([file('a', 'x'.repeat(1001))], limits), { code: 'TAR_MALFORMED' })
  })

  it('refuses what is no gzip, is cut short, or is damaged', async () => {
    await using place = await temporaryDirectory(tmpdir())
    const good = gzipSync(Buffer.concat(await packTar([file('a', 'x'.repeat(5000))]).toArray()))
    const damaged = Buffer.from(good)
    damaged[damaged.length - 8]! ^= 1
    for (const [index, bytes] of [
      Buffer.from('plain'),
      good.subarray(0, good.length - 9),
      damaged,
    ].entries()) {
      const archive = join(place.path, String(index))
      await writeFile(archive, bytes)
      await using content = await temporaryDirectory(place.path)
      await assert.rejects(unpackTarGz(archive, new Map(), { directory: content.path, count: 0 }, 'a.tgz'))
    }
  })

  it('hashes what it stages', async () => {
    await using place = await temporaryDirectory(tmpdir())
    const staged = await stage(
      { directory: place.path, count: 0 },
      [Buffer.from('ab'), Buffer.from('c')],
      false,
    )
    assert.equal(staged.sha256, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    assert.equal(staged.size, 3)
  })
})
