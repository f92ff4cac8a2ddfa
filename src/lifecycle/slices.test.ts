import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Problem } from '#std'
import { compileGlob } from './glob.ts'
import { cutSlices } from './slices.ts'
import type { TreeEntry } from './tree.ts'

/** Entries of a tree of empty files; directories are those that have something in them, or end in a slash. */
function treeOf(...paths: string[]): TreeEntry[] {
  const types = new Map<string, 'file' | 'directory'>([['', 'directory']])
  for (const path of paths) {
    const steps = path.split('/').filter(Boolean)
    for (let count = 1; count < steps.length; count++) types.set(steps.slice(0, count).join('/'), 'directory')
    const whole = steps.join('/')
    if (!types.has(whole)) types.set(whole, path.endsWith('/') ? 'directory' : 'file')
  }
  return [...types].map(([path, type]) => ({
    path,
    type,
    mode: 0o755,
    size: 0,
    inode: 0n,
    mtimeNs: 0n,
    ctimeNs: 0n,
  }))
}

function cut(paths: string[], ...slices: string[][]): string[][] {
  const lists = cutSlices(
    treeOf(...paths),
    slices.map(each => ({ paths: each })),
    '/workspace',
  )
  return lists.map(entries => entries.map(({ path }) => path))
}

describe('cutSlices', () => {
  it('gives one layer without slices', () => {
    assert.deepEqual(cut(['b', 'a/x']), [['', 'a', 'a/x', 'b']])
  })

  it('takes a directory with all that is in it, and its ancestors', () => {
    assert.deepEqual(cut(['a/b/c', 'a/b/d', 'a/e', 'f'], ['a/b']), [
      ['', 'a', 'a/b', 'a/b/c', 'a/b/d'],
      ['', 'a', 'a/e', 'f'],
    ])
  })

  it('hides what a slice took from later ones', () => {
    assert.deepEqual(cut(['a/x', 'a/y', 'b'], ['a/x'], ['a'], ['*']), [
      ['', 'a', 'a/x'],
      ['', 'a', 'a/y'],
      ['', 'b'],
      [],
    ])
  })

  it('drops a directory from the rest once everything in it is taken', () => {
    assert.deepEqual(cut(['a/x', 'b'], ['a/*']), [
      ['', 'a', 'a/x'],
      ['', 'b'],
    ])
    assert.deepEqual(cut(['a/b/x'], ['a/b/*']), [['', 'a', 'a/b', 'a/b/x'], []])
  })

  it('keeps an empty directory in the rest', () => {
    assert.deepEqual(cut(['a/', 'b/x'], ['b']), [
      ['', 'b', 'b/x'],
      ['', 'a'],
    ])
  })

  it('sorts by whole paths', () => {
    assert.deepEqual(cut(['a/x', 'a-b', 'a.b']), [['', 'a', 'a-b', 'a.b', 'a/x']])
  })

  it('cleans patterns, and takes absolute ones from the app', () => {
    assert.deepEqual(cut(['a/x', 'b'], ['./a//../a/'])[0], ['', 'a', 'a/x'])
    assert.deepEqual(cut(['a/x', 'b'], ['/workspace/a'])[0], ['', 'a', 'a/x'])
    assert.deepEqual(cut(['a/x', 'b'], ['/workspace', '/workspacea', '/a', '', '.', '..'])[0], [])
  })

  it('puts every entry but directories into exactly one layer', () => {
    const step = fc.constantFrom('a', 'b', 'c', 'a-b', 'a.b')
    const path = fc.array(step, { minLength: 1, maxLength: 4 }).map(steps => steps.join('/'))
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '*', '?', '[a-b]'), { minLength: 1, maxLength: 4 })
      .map(steps => steps.join('/'))
    fc.assert(
      fc.property(
        fc.array(path, { maxLength: 15 }),
        fc.array(fc.array(pattern, { maxLength: 3 }), { maxLength: 4 }),
        (paths, slices) => {
          const files = treeOf(...paths)
            .filter(({ type }) => type === 'file')
            .map(({ path: each }) => each)
          const layers = cut(paths, ...slices)
          assert.equal(layers.length, slices.length + 1)
          const seen = layers.flat().filter(each => files.includes(each))
          assert.deepEqual(seen.toSorted(), files.toSorted())
          for (const layer of layers) assert.deepEqual(layer, [...new Set(layer)].sort())
        },
      ),
    )
  })
})

describe('compileGlob', () => {
  const rows: readonly [pattern: string, path: string, matches: boolean][] = [
    ['*.jar', 'a.jar', true],
    ['*.jar', 'lib/a.jar', false],
    ['**/a', 'x/y/a', false],
    ['*/*/a', 'x/y/a', true],
    ['?', 'é', true],
    ['?', '/', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['[\\]]', ']', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b', 'a/b', false],
    ['', '', true],
  ]
  for (const [pattern, path, matches] of rows) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${path}`, () => {
      assert.equal(compileGlob(pattern)(Buffer.from(path).toString('latin1')), matches)
    })
  }

  it('refuses patterns that are none', () => {
    for (const pattern of ['[', '[a', '[]', '[]a]', '[-]', '[a-', '[a-]', '\\', 'a[\\', '[^', '[x-]']) {
      assert.throws(
        () => compileGlob(pattern),
        (error: Problem) => error.code === 'SLICE_PATTERN_MALFORMED' && error.exitCode === 62,
        pattern,
      )
    }
  })
})
