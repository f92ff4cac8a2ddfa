import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import type { Layer } from '#oci'
import { type Digest, digestOf, packTar, type TarEntry } from '#std'
import { compareTrees, layerReader } from './tree.ts'

const file = (name: string, text: string, change: Partial<TarEntry> = {}): TarEntry => ({
  ...{ name, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0 },
  size: Buffer.byteLength(text),
  content: Buffer.from(text),
  ...change,
})
const directory = (name: string): TarEntry => ({
  ...{ name, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, size: 0 },
})

let opened = 0
async function layer(...entries: TarEntry[]): Promise<Layer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of packTar(entries)) chunks.push(chunk)
  const tar = Buffer.concat(chunks)
  const diffId: Digest = digestOf(tar)
  const open = async () => {
    opened++
    return Readable.from([tar])
  }
  const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffId, size: tar.length }
  return { diffId, blob, compressed: open, uncompressed: open }
}

const pathsOf = async (...layers: Layer[]) => [...(await layerReader().tree(layers)).keys()].sort()

describe('the tree of an image', () => {
  it('is what a container sees: later layers win, whiteouts hide', async () => {
    const lower = await layer(
      directory('/etc'),
      file('/etc/a', '1'),
      file('/etc/b', '1'),
      directory('/old'),
      file('/old/x', '1'),
      file('/old/y', '1'),
    )
    const upper = await layer(
      file('etc/.wh.a', ''),
      directory('./old'),
      file('./old/.wh..wh..opq', ''),
      file('./old/z', '2'),
    )
    assert.deepEqual(await pathsOf(lower, upper), ['etc', 'etc/b', 'old', 'old/z'])
  })

  it('takes a directory away with all that is in it when a file takes its place', async () => {
    assert.deepEqual(
      await pathsOf(await layer(directory('d'), file('d/x', '1')), await layer(file('d', '2'))),
      ['d'],
    )
  })

  it('knows a second name of a file by its contents', async () => {
    const linked = await layer(
      file('/a', 'text'),
      file('/b', '', { type: 'link', size: 0, linkname: '/a', content: new Uint8Array() }),
    )
    const tree = await layerReader().tree([linked])
    assert.equal(tree.get('b')?.content, tree.get('a')?.content)
    assert.equal(tree.get('b')?.type, 'file')
  })

  it('reads a layer once, however many images have it', async () => {
    const shared = await layer(file('/a', '1'))
    opened = 0
    const reader = layerReader()
    await Promise.all([reader.tree([shared]), reader.tree([shared])])
    assert.equal(opened, 1)
  })
})

describe('two trees', () => {
  it('differ in contents, mode, owner and kind, not in times', async () => {
    const tree = async (...entries: TarEntry[]) => layerReader().tree([await layer(...entries)])
    const before = await tree(
      file('content', '1'),
      file('mode', '1'),
      file('owner', '1'),
      file('kind', '1'),
      file('gone', '1'),
      file('time', '1'),
    )
    const after = await tree(
      file('content', '2'),
      file('mode', '1', { mode: 0o755 }),
      file('owner', '1', { uid: 7 }),
      directory('kind'),
      file('come', '1'),
      file('time', '1', { mtime: 99 }),
    )
    assert.deepEqual(
      compareTrees(before, after).map(({ path, change, differences }) => [path, change, differences.join()]),
      [
        ['come', 'added', ''],
        ['content', 'changed', 'content'],
        ['gone', 'removed', ''],
        ['kind', 'changed', 'type'],
        ['mode', 'changed', 'mode'],
        ['owner', 'changed', 'owner'],
      ],
    )
  })
})
