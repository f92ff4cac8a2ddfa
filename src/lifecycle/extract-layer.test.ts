import assert from 'node:assert/strict'
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { packTar, type TarEntry, temporaryDirectory } from '#std'
import { extractLayer } from './extract-layer.ts'

type Short = Partial<TarEntry> & Pick<TarEntry, 'name'>

const entries = (list: readonly Short[]): TarEntry[] =>
  list.map(each => {
    const content = each.content as Buffer | undefined
    return { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, size: content?.length ?? 0, ...each }
  })
const directory = (name: string, mode = 0o755): Short => ({ name, type: 'directory', mode })
const above = [directory('/layers'), directory('/layers/a')]

async function extract(list: readonly Short[], check: (path: string) => Promise<void> = async () => {}) {
  await using temporary = await temporaryDirectory(tmpdir(), 'extract-')
  const host = join(temporary.path, 'target')
  await mkdir(host)
  await writeFile(join(host, 'old'), '')
  await writeFile(join(temporary.path, 'outside'), 'untouched')
  try {
    await extractLayer(packTar(entries([...above, ...list])), { host, inside: '/layers/a/x' })
    await check(host)
  } finally {
    assert.equal(await readFile(join(temporary.path, 'outside'), 'utf8'), 'untouched')
    const left = await readdir(temporary.path)
    assert.ok(left.length === 1 || left.includes('target'), left.join())
  }
}

describe('extractLayer', () => {
  it('brings back files, modes, links and names as bytes, and nothing of before', async () => {
    const name = Buffer.concat([Buffer.from('/layers/a/x/d/'), Buffer.from([0xff])])
    await extract(
      [
        directory('/layers/a/x', 0o700),
        directory('/layers/a/x/d', 0o555),
        { name, content: Buffer.from('bytes') },
        { name: '/layers/a/x/run', mode: 0o4755, content: Buffer.from('run') },
        { name: '/layers/a/x/link', type: 'symlink', linkname: '/etc/passwd' },
        { name: '/layers/a/x/hard', type: 'link', linkname: '/layers/a/x/run' },
        { name: '/layers/a/x/no/parent', content: Buffer.from('') },
      ],
      async path => {
        const mode = async (file: string) => ((await lstat(join(path, file))).mode & 0o7777).toString(8)
        assert.deepEqual(await readdir(path), ['d', 'hard', 'link', 'no', 'run'])
        assert.deepEqual([await mode('.'), await mode('d'), await mode('run')], ['700', '555', '4755'])
        assert.equal(await readlink(join(path, 'link')), '/etc/passwd')
        assert.equal(await readFile(join(path, 'hard'), 'utf8'), 'run')
        const [odd] = await readdir(join(path, 'd'), { encoding: 'buffer' })
        assert.deepEqual(odd, Buffer.from([0xff]))
      },
    )
  })

  const x = '/layers/a/x'
  const out = Buffer.from('overwritten')
  const hostile: [string, Short[]][] = [
    ['a name that climbs', [{ name: `${x}/../../../outside`, content: out }]],
    ['a name elsewhere', [{ name: '/etc/cron.d/x', content: out }]],
    ['a sibling', [{ name: '/layers/a/xy', content: out }]],
    ['a file in place of a directory above', [{ name: '/layers/a', content: out }]],
    ['a file in place of the layer', [{ name: x, content: out }]],
    ['a link in place of the layer', [{ name: x, type: 'symlink', linkname: '/' }]],
    [
      'writing below a link',
      [
        { name: `${x}/l`, type: 'symlink', linkname: '..' },
        { name: `${x}/l/outside`, content: out },
      ],
    ],
    [
      'writing through a link',
      [
        { name: `${x}/l`, type: 'symlink', linkname: '../outside' },
        { name: `${x}/l`, content: out },
      ],
    ],
    ['a directory over a link', [{ name: `${x}/l`, type: 'symlink', linkname: '..' }, directory(`${x}/l`)]],
    ['a hard link to elsewhere', [{ name: `${x}/h`, type: 'link', linkname: '/etc/passwd' }]],
    ['a hard link that climbs', [{ name: `${x}/h`, type: 'link', linkname: `${x}/../../outside` }]],
    [
      'a hard link below a link',
      [
        { name: `${x}/l`, type: 'symlink', linkname: '..' },
        { name: `${x}/h`, type: 'link', linkname: `${x}/l/outside` },
      ],
    ],
    ['a pipe', [{ name: `${x}/p`, type: 'fifo' }]],
    ['a device', [{ name: `${x}/d`, type: 'character', device: { major: 1, minor: 3 } }]],
    [
      'a file twice',
      [
        { name: `${x}/f`, content: out },
        { name: `${x}/f`, content: out },
      ],
    ],
    [
      'a file as a parent',
      [
        { name: `${x}/f`, content: out },
        { name: `${x}/f/g`, content: out },
      ],
    ],
  ]
  for (const [what, list] of hostile) {
    it(`refuses ${what}, and leaves nothing`, async () => {
      await assert.rejects(extract(list), { code: 'LAYER_REFUSED' })
    })
  }

  it('refuses what is no tar', async () => {
    await using temporary = await temporaryDirectory(tmpdir(), 'extract-')
    const place = { host: join(temporary.path, 'target'), inside: '/x' }
    const garbage = (async function* () {
      yield Buffer.alloc(1024, 'garbage')
    })()
    await assert.rejects(extractLayer(garbage, place), { code: 'TAR_MALFORMED' })
    assert.deepEqual(await readdir(temporary.path), [])
  })
})
