import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { matching, type Relocation, relocate } from './relocate.ts'
import type { Tree, TreeNode } from './tree.ts'
import { place, treeDigest } from './tree.ts'

/** A tree from a table: `-> x` is a link, `/` a directory, all else the content of a file. */
function tree(table: Record<string, string>): Tree {
  const made: Tree = new Map()
  for (const [path, text] of Object.entries(table)) place(made, path, nodeOf(text), 'a test')
  return made
}

function nodeOf(text: string): TreeNode {
  if (text === '/') return { type: 'directory' }
  if (text.startsWith('-> ')) return { type: 'symlink', target: text.slice(3) }
  return { type: 'file', content: text, sha256: text, size: 1, executable: false }
}

function moved(table: Record<string, string>, relocation: Relocation): Record<string, string> {
  const out = relocate(tree(table), relocation, 'a runtime')
  const shown = [...out].map(([path, node]) => [
    path,
    node.type === 'file' ? node.content : node.type === 'symlink' ? `-> ${node.target}` : '/',
  ])
  return Object.fromEntries(shown.filter(([, text]) => text !== '/'))
}

describe('relocation', () => {
  it('makes the contents of links that leave the tree part of it', () => {
    const files = {
      'opt/java/conf/security': '-> /etc/java/security',
      'opt/java/conf/log': '-> ../../../etc/java/log',
      'opt/java/conf/dir': '-> /etc/java/dir',
      'etc/java/security': 'S',
      'etc/java/log': '-> log-2',
      'etc/java/log-2': 'L',
      'etc/java/dir/a': 'A',
      'etc/java/dir/b/c': 'C',
    }
    assert.deepEqual(moved(files, { from: 'opt/java' }), {
      'conf/security': 'S',
      'conf/log': 'L',
      'conf/dir/a': 'A',
      'conf/dir/b/c': 'C',
    })
  })

  it('keeps links that stay inside, wherever the tree is put', () => {
    const files = {
      'opt/a/b/c': 'C',
      'opt/a/l': '-> b/c',
      'opt/a/b/m': '-> ../l',
      'opt/a/n': '-> ../a/b/c',
      'opt/a/o': '-> /opt/a/b/c',
    }
    assert.deepEqual(moved(files, { from: 'opt/a' }), {
      'b/c': 'C',
      l: '-> b/c',
      'b/m': '-> ../l',
      n: 'C',
      o: 'C',
    })
  })

  it('leaves out what the recipe drops, and brings in what it adds', () => {
    const files = {
      'a/keep': 'K',
      'a/docs/x': 'X',
      'a/bin/t.bat': 'B',
      'a/bin/t': 'T',
      'usr/lib/z.so.1': '-> z.so.1.2',
      'usr/lib/z.so.1.2': 'Z',
    }
    const recipe = {
      from: 'a',
      drop: ['docs', 'bin/*.bat'],
      add: [{ from: 'usr/lib/z.so.1', to: 'lib/z.so.1' }],
    }
    assert.deepEqual(moved(files, recipe), { keep: 'K', 'bin/t': 'T', 'lib/z.so.1': 'Z' })
  })

  it('finds the one directory that archives name after their version', () => {
    assert.deepEqual(moved({ 'tool-1.2/a': 'A' }, { from: 'tool-*' }), { a: 'A' })
    assert.throws(() => moved({ 'tool-1/a': 'A', 'tool-2/a': 'A' }, { from: 'tool-*' }), {
      message: /not exactly one/,
    })
    assert.throws(() => moved({ other: 'A' }, { from: 'tool-*' }), { message: /not exactly one/ })
  })

  it('names every link that leads nowhere, and every file that is missing', () => {
    const files = { 'a/x': '-> /etc/x', 'a/y': '-> gone', 'a/z': '-> z' }
    const bad = {
      code: 'RUNTIME_NOT_RELOCATABLE',
      message: /x leads to nothing.*usr\/q is missing.*y leads to gone.*z leads/s,
    }
    assert.throws(() => moved(files, { from: 'a', add: [{ from: 'usr/q', to: 'q' }] }), bad)
    assert.deepEqual(moved(files, { from: 'a', dangling: ['*'] }), {})
  })

  it('knows globs', () => {
    const test = matching(['docs', 'bin/*.bat', '**/x.so', 'a+b'])
    for (const path of ['docs', 'docs/a/b', 'bin/t.bat', 'x.so', 'lib/y/x.so', 'a+b'])
      assert.ok(test(path), path)
    for (const path of ['docs2', 'lib/docs', 'bin/a/t.bat', 'y.so', 'aab', 'x.so.1'])
      assert.ok(!test(path), path)
  })
})

describe('the digest of a tree', () => {
  const digest = (table: Record<string, string>, recipe = 'r@1') => treeDigest(tree(table), recipe)

  it('follows from contents, not from their order', () => {
    assert.equal(digest({ a: '1', b: '2' }), digest({ b: '2', a: '1' }))
  })

  it('differs for another path, content, kind or recipe', () => {
    const seen = [
      digest({ a: '1' }),
      digest({ b: '1' }),
      digest({ a: '2' }),
      digest({ a: '-> 1' }),
      digest({ a: '/' }),
      digest({ a: '1' }, 'r@2'),
    ]
    assert.equal(new Set(seen).size, seen.length)
  })
})
