import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  applyEnvironmentFiles,
  applyUserVariables,
  type EnvironmentFile,
  environmentRecord,
  inheritedEnvironment,
  prependRootDirectories,
} from './environment.ts'

const files = (table: Record<string, string>): EnvironmentFile[] =>
  Object.entries(table).map(([name, content]) => ({ name, content }))
const applied = (
  before: Record<string, string>,
  table: Record<string, string>,
  unsuffixed?: 'override' | 'default',
) => environmentRecord(applyEnvironmentFiles(new Map(Object.entries(before)), files(table), unsuffixed))

describe('applyEnvironmentFiles', () => {
  const rows: [string, Record<string, string>, Record<string, string>, Record<string, string>][] = [
    ['a plain file overrides', { A: 'old' }, { A: 'new' }, { A: 'new' }],
    ['.override replaces', { A: 'old' }, { 'A.override': 'new' }, { A: 'new' }],
    ['.default yields', { A: 'old' }, { 'A.default': 'new' }, { A: 'old' }],
    ['.default fills what is unset', {}, { 'A.default': 'new' }, { A: 'new' }],
    ['.default fills what is empty', { A: '' }, { 'A.default': 'new' }, { A: 'new' }],
    ['.append without delimiter', { A: 'old' }, { 'A.append': 'new' }, { A: 'oldnew' }],
    ['.append with delimiter', { A: 'old' }, { 'A.append': 'new', 'A.delim': ' ' }, { A: 'old new' }],
    ['.append to nothing has no delimiter', {}, { 'A.append': 'new', 'A.delim': ' ' }, { A: 'new' }],
    ['.prepend with delimiter', { A: 'old' }, { 'A.prepend': 'new', 'A.delim': ':' }, { A: 'new:old' }],
    ['.delim alone says nothing', {}, { 'A.delim': ':' }, {}],
    ['a plain file comes before its operators', {}, { 'A.append': '2', A: '1' }, { A: '12' }],
    ['.override after .append discards it', {}, { 'A.append': '1', 'A.override': '2' }, { A: '2' }],
    ['unknown suffixes are ignored', {}, { 'A.frob': 'x', 'A.append.x': 'x', '.append': 'x' }, {}],
    ['content is not trimmed', {}, { A: ' x\n' }, { A: ' x\n' }],
    ['a NUL cannot be in a variable', { A: 'old' }, { A: 'a\0b' }, { A: 'old' }],
  ]
  for (const [what, before, table, after] of rows) {
    it(what, () => assert.deepEqual(applied(before, table), after))
  }

  it('lets an operator decide otherwise', () => {
    assert.deepEqual(applied({ A: 'old' }, { A: 'new', 'B.override': 'x' }, 'default'), { A: 'old', B: 'x' })
  })

  it('is the same in whatever order the files are listed', () => {
    const name = fc.constantFrom(
      'A',
      'A.append',
      'A.prepend',
      'A.default',
      'A.override',
      'A.delim',
      'B',
      'B.append',
    )
    const table = fc.uniqueArray(fc.record({ name, content: fc.string() }), { selector: file => file.name })
    fc.assert(
      fc.property(table, table, (list, before) => {
        const start = applyEnvironmentFiles(new Map(), before)
        const shuffled = list.toReversed()
        assert.deepEqual([...applyEnvironmentFiles(start, list)], [...applyEnvironmentFiles(start, shuffled)])
      }),
    )
  })
})

describe('prependRootDirectories', () => {
  it('puts a layer before what is there', () => {
    const before = new Map([['PATH', '/usr/bin']])
    const all = ['bin', 'lib', 'include', 'pkgconfig', 'share']
    assert.deepEqual(environmentRecord(prependRootDirectories(before, '/layers/a/x', all, 'build')), {
      PATH: '/layers/a/x/bin:/usr/bin',
      LD_LIBRARY_PATH: '/layers/a/x/lib',
      LIBRARY_PATH: '/layers/a/x/lib',
      CPATH: '/layers/a/x/include',
      PKG_CONFIG_PATH: '/layers/a/x/pkgconfig',
    })
    assert.deepEqual(environmentRecord(prependRootDirectories(before, '/l', all, 'launch')), {
      PATH: '/l/bin:/usr/bin',
      LD_LIBRARY_PATH: '/l/lib',
    })
    assert.deepEqual(environmentRecord(prependRootDirectories(before, '/l', [], 'build')), {
      PATH: '/usr/bin',
    })
  })
})

describe("the user's variables", () => {
  it('go before path variables and replace all others, whatever their names', () => {
    const before = new Map([
      ['PATH', '/usr/bin'],
      ['A', 'old'],
    ])
    const user = files({ PATH: '/mine', CPATH: '/c', A: 'new', 'a.append': 'x', __proto__x: 'y' })
    assert.deepEqual(environmentRecord(applyUserVariables(before, user)), {
      PATH: '/mine:/usr/bin',
      CPATH: '/c',
      A: 'new',
      'a.append': 'x',
      __proto__x: 'y',
    })
  })
})

describe('inheritedEnvironment', () => {
  it('lets nothing through but what the specification names', () => {
    const source = {
      HOME: '/h',
      PATH: '/bin',
      AWS_SECRET_ACCESS_KEY: 's',
      LANG: 'C',
      no_proxy: '',
      TMPDIR: '/t',
    }
    assert.deepEqual(environmentRecord(inheritedEnvironment(source)), {
      HOME: '/h',
      PATH: '/bin',
      no_proxy: '',
    })
  })
})
