import assert from 'node:assert/strict'
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { packTar, readAll, type TarEntry, temporaryDirectory } from '#std'
import { assertRefused } from '../../std/refusal.testing.ts'
import { mergeTrees } from './merge-trees.ts'
import { type LayerNotes, unpackLayer } from './unpack-layer.ts'

type Short = Partial<TarEntry> & Pick<TarEntry, 'name'>
const file = (name: string | Buffer, text = 'out', more: Partial<TarEntry> = {}): Short => ({
  name,
  content: Buffer.from(text),
  size: text.length,
  ...more,
})
const directory = (name: string, mode = 0o755): Short => ({ name, type: 'directory', mode })
const symlink = (name: string, linkname: string): Short => ({ name, type: 'symlink', linkname })
const link = (name: string, linkname: string): Short => ({ name, type: 'link', linkname })

/** The tar, in pieces that come one after the other, as from a network: what fails meanwhile fails while nobody waits for it. */
async function* tarOf(entries: readonly Short[]): AsyncGenerator<Uint8Array> {
  const whole = entries.map(
    (entry): TarEntry => ({ type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, size: 0, ...entry }),
  )
  const bytes = await readAll(packTar(whole))
  for (let at = 0; at < bytes.length; at += 512) {
    if (at < 20_000) await lstat('/')
    yield bytes.subarray(at, at + 512)
  }
}

/** Unpacks layers next to files that have to stay as they are, and merges them; gives what is there then. */
async function unpack(...layers: readonly (readonly Short[])[]): Promise<string[]> {
  await using temporary = await temporaryDirectory(tmpdir(), 'unpack-')
  const at = (...names: string[]) => join(temporary.path, ...names)
  await mkdir(at('host'))
  await writeFile(at('host/passwd'), 'untouched')
  const unpacked: { directory: string; notes: LayerNotes }[] = []
  try {
    for (const [index, entries] of layers.entries()) {
      await mkdir(at(`layer${index}`))
      unpacked.push({
        directory: at(`layer${index}`),
        notes: await unpackLayer(tarOf(entries), at(`layer${index}`)),
      })
    }
    await mkdir(at('root'))
    await mergeTrees(unpacked, at('root'))
    return await listing(at('root'))
  } finally {
    assert.equal(await readFile(at('host/passwd'), 'utf8'), 'untouched')
    assert.deepEqual(await readdir(at('host')), ['passwd'])
    const others = ['host', 'root', ...layers.map((_, index) => `layer${index}`)]
    for (const name of await readdir(temporary.path)) assert.ok(others.includes(name), name)
  }
}

/** `f etc/passwd 644 text`, `d etc 755`, `l bin -> usr/bin`. */
async function listing(root: string, path = ''): Promise<string[]> {
  const found: string[] = []
  for (const name of (await readdir(join(root, path))).toSorted()) {
    const inner = path === '' ? name : `${path}/${name}`
    const stats = await lstat(join(root, inner))
    const mode = (stats.mode & 0o7777).toString(8)
    if (stats.isSymbolicLink()) found.push(`l ${inner} -> ${await readlink(join(root, inner))}`)
    else if (stats.isDirectory()) found.push(`d ${inner} ${mode}`, ...(await listing(root, inner)))
    else found.push(`f ${inner} ${mode} ${await readFile(join(root, inner), 'utf8')}`)
  }
  return found
}

describe('unpackLayer, of layers by anybody', () => {
  const LONG = 'n'.repeat(300)
  const REFUSED: Record<string, [Short[], RegExp]> = {
    'a name that climbs': [[file('../host/passwd')], /upwards/],
    'a name that climbs from within': [[file('a/../../host/passwd')], /upwards/],
    'a name that climbs and comes back': [[file('a/../a')], /upwards/],
    'a file below a link': [[symlink('d', '../host'), file('d/passwd')], /is a symlink/],
    'a file below an absolute link': [[symlink('d', '/tmp'), file('d/passwd')], /is a symlink/],
    'a directory below a link': [[symlink('d', '..'), directory('d/host')], /is a symlink/],
    'a link below a link': [[symlink('d', '..'), symlink('d/host', 'x')], /is a symlink/],
    'a directory that becomes a link before it is written to': [
      [directory('d'), file('d/a'), symlink('d', '../host'), file('d/passwd')],
      /is a symlink/,
    ],
    'a file below two links': [
      [symlink('a', 'b'), symlink('b', '../host'), file('a/passwd')],
      /is a symlink/,
    ],
    'a file below a link, by another spelling': [
      [symlink('d', '../host'), file('./d//./passwd')],
      /is a symlink/,
    ],
    'a file below a hard link to a link': [
      [symlink('l', '../host'), link('m', 'l'), file('m/passwd')],
      /is a symlink/,
    ],
    'a link in place of the root': [[symlink('/.', '../host'), file('passwd')], /root/],
    'a file in place of the root': [[file('./')], /root|content/],
    'a hard link to a file of the host': [[link('h', '/etc/passwd')], /no file of the layer/],
    'a hard link that climbs': [[link('h', '../host/passwd')], /upwards/],
    'a hard link below a link': [[symlink('d', '../host'), link('h', 'd/passwd')], /no file of the layer/],
    'a hard link to a directory': [[directory('d'), link('h', 'd')], /no file of the layer/],
    'a hard link to itself': [[link('h', 'h')], /no file of the layer/],
    'a hard link to what comes later': [[link('h', 'later'), file('later')], /no file of the layer/],
    'a hard link to nothing': [[link('h', '')], /no file of the layer/],
    'a hard link to what a later entry replaced': [
      [directory('d'), file('d/f'), file('d'), link('h', 'd/f')],
      /no file of the layer/,
    ],
    'a link to nothing': [[symlink('l', '')], /no file or link can be made so/],
    'a link of 5000 bytes': [[symlink('l', 'x'.repeat(5000))], /no file or link can be made so/],
    'a name of 300 bytes, and more after it': [
      [file(LONG), ...Array.from({ length: 40 }, (_, at) => file(`f${at}`))],
      /ENAMETOOLONG/,
    ],
    'a name of 300 bytes for a large file': [[file(LONG, 'x'.repeat(2 << 20))], /ENAMETOOLONG/],
    'a directory of 300 bytes': [[directory(LONG)], /ENAMETOOLONG/],
    'a name of 300 bytes above a file': [[file(`${LONG}/f`)], /ENAMETOOLONG/],
    'a path of 100 kB': [[file(`${'a/'.repeat(50_000)}f`)], /ENAMETOOLONG/],
    'a name of 100 kB': [[file('n'.repeat(100_000))], /ENAMETOOLONG/],
    'a file as a parent': [[file('f'), file('f/g')], /is a file/],
    'removing nothing': [[file('d/.wh.', '')], /removes no name/],
    'removing the directory above': [[file('d/.wh...', '')], /removes no name/],
    'removing the directory itself': [[file('d/.wh..', '')], /removes no name/],
    'removing by a name that climbs': [[file('../.wh.host', '')], /upwards/],
    'removing by a name that climbs after it': [[file('.wh.a/../../host', '')], /upwards/],
  }
  for (const [what, [entries, why]] of Object.entries(REFUSED))
    it(`REFUSE: ${what}`, () => assertRefused(() => unpack(entries), ['LAYER_REFUSED', 'TAR_MALFORMED'], why))

  it('ends no process where a file cannot be made and the tar then turns out to be bad', async () => {
    await assertRefused(() => unpack([file(LONG), file('a'), file('b'), file('../x')]), 'LAYER_REFUSED')
  })

  const KEPT: Record<string, [Short[][], string[]]> = {
    'plain files': [[[directory('d', 0o750), file('d/f', 'x')]], ['d d 750', 'f d/f 644 x']],
    'absolute names': [[[file('/etc/passwd', 'x')]], ['d etc 755', 'f etc/passwd 644 x']],
    'links that lead out, which are kept and not followed': [
      [[symlink('l', '../host/passwd'), symlink('m', '/etc')]],
      ['l l -> ../host/passwd', 'l m -> /etc'],
    ],
    'a link, and a file in its place': [[[symlink('l', '../host/passwd'), file('l', 'x')]], ['f l 644 x']],
    'a link, and a directory in its place': [
      [[symlink('l', '../host'), directory('l'), file('l/passwd', 'x')]],
      ['d l 755', 'f l/passwd 644 x'],
    ],
    'a link, and a directory in its place, by another spelling': [
      [[symlink('l', '../host'), directory('./l/'), file('l/passwd', 'x')]],
      ['d l 755', 'f l/passwd 644 x'],
    ],
    'a file twice, of which the second stays': [[[file('f', 'one'), file('f', 'two')]], ['f f 644 two']],
    'a file, and a hard link to it': [[[file('f', 'x'), link('h', '/f')]], ['f f 644 x', 'f h 644 x']],
    'a hard link to a link, which is a link': [
      [[symlink('l', '../host/passwd'), link('h', 'l')]],
      ['l h -> ../host/passwd', 'l l -> ../host/passwd'],
    ],
    'set-id bits, which are dropped': [
      [[file('f', 'x', { mode: 0o6755 }), directory('d', 0o3777)]],
      ['d d 1777', 'f f 755 x'],
    ],
    'names that differ by case': [
      [[symlink('D', '../host'), directory('d'), file('d/passwd', 'x')]],
      ['l D -> ../host', 'd d 755', 'f d/passwd 644 x'],
    ],
    'names that differ by Unicode form': [
      [[symlink('\u00e9', '../host'), directory('e\u0301'), file('e\u0301/passwd', 'x')]],
      ['d e\u0301 755', 'f e\u0301/passwd 644 x', 'l \u00e9 -> ../host'],
    ],
    'a backslash, which is a character': [[[file('..\\host\\passwd', 'x')]], ['f ..\\host\\passwd 644 x']],
    'devices and pipes, which are left out': [
      [
        [
          { name: 'c', type: 'character', device: { major: 1, minor: 3 } },
          { name: 'p', type: 'fifo' },
          file('f', 'x'),
        ],
      ],
      ['f f 644 x'],
    ],
    'attributes, which are left out': [
      [[file('f', 'x', { pax: { 'SCHILY.xattr.security.capability': 'x' } })]],
      ['f f 644 x'],
    ],
    'removing a file of a lower layer': [
      [[file('a', 'x'), file('b', 'x')], [file('.wh.a', '')]],
      ['f b 644 x'],
    ],
    'removing only from lower layers': [
      [[file('a', 'x')], [file('.wh.a', ''), file('a', 'y')]],
      ['f a 644 y'],
    ],
    'removing all below a directory': [
      [[file('d/a', 'x')], [file('d/.wh..wh..opq', ''), file('d/b', 'y')]],
      ['d d 755', 'f d/b 644 y'],
    ],
    'removing what is not there': [
      [[file('a', 'x')], [file('.wh.b', ''), file('c/d/.wh.e', '')]],
      ['f a 644 x'],
    ],
    'removing through a link of a lower layer': [
      [[symlink('d', '../host')], [file('d/.wh.passwd', '')]],
      ['l d -> ../host'],
    ],
    'removing all below a link of a lower layer': [
      [[symlink('d', '../host')], [file('d/.wh..wh..opq', '')]],
      ['l d -> ../host'],
    ],
    'removing through two links of a lower layer': [
      [[symlink('a', 'b'), symlink('b', '../host')], [file('a/.wh.passwd', '')]],
      ['l a -> b', 'l b -> ../host'],
    ],
    'removing all of a directory below a link of a lower layer': [
      [[symlink('d', '..')], [file('d/host/.wh..wh..opq', '')]],
      ['l d -> ..'],
    ],
    'removing a directory below a link of a lower layer': [
      [[symlink('d', '..')], [file('d/.wh.host', '')]],
      ['l d -> ..'],
    ],
    'a directory over a link of a lower layer': [
      [[symlink('d', '../host')], [directory('d'), file('d/passwd', 'x')]],
      ['d d 755', 'f d/passwd 644 x'],
    ],
    'a file below a link of a lower layer': [
      [[symlink('d', '../host')], [file('d/passwd', 'x')]],
      ['d d 755', 'f d/passwd 644 x'],
    ],
    'a link over a directory of a lower layer': [
      [[file('d/passwd', 'x')], [symlink('d', '../host')]],
      ['l d -> ../host'],
    ],
    'a link over a directory, and files below it in a third layer': [
      [[file('d/a', 'x')], [symlink('d', '../host')], [file('d/passwd', 'y')]],
      ['d d 755', 'f d/passwd 644 y'],
    ],
    'marks of AUFS, which are passed over': [
      [[file('a', 'x')], [file('.wh..wh.plnk', ''), directory('.wh..wh.orph')]],
      ['f a 644 x'],
    ],
  }
  for (const [what, [layers, expected]] of Object.entries(KEPT))
    it(`CONTAIN: ${what}`, async () => assert.deepEqual(await unpack(...layers), expected))
})
