import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { goUsage, parseGoBoolean, parseGoFlags, parseGoInteger } from './go-flags.ts'

const DEFINITIONS = [
  { name: 'app', kind: 'string', about: 'path to app directory' },
  { name: 'daemon', kind: 'boolean', about: 'export to docker daemon' },
  { name: 'tag', kind: 'list', about: 'additional tags' },
  { name: 'uid', kind: 'integer', about: 'UID of the user' },
] as const

const parse = (...words: string[]) => {
  const { values, positionals, help } = parseGoFlags('creator', DEFINITIONS, words)
  return { ...Object.fromEntries(values), positionals, ...(help && { help }) }
}

describe('flags in the manner of Go', () => {
  it('come with one dash or two, and a value behind a blank or an equals sign', () => {
    assert.deepEqual(parse('-app', 'a', '--uid=12', '-daemon', 'image'), {
      ...{ app: 'a', uid: 12, daemon: true, positionals: ['image'] },
    })
    assert.deepEqual(parse('-app=', '-daemon=false'), { app: '', daemon: false, positionals: [] })
    assert.deepEqual(parse('-app=a=b'), { app: 'a=b', positionals: [] })
    assert.deepEqual(parse('-app', '-daemon'), { app: '-daemon', positionals: [] })
  })

  it('of a kind that is a list are all kept, others are replaced', () => {
    assert.deepEqual(parse('-tag', 'a', '-app', 'x', '-tag=b', '-app', 'y'), {
      ...{ tag: ['a', 'b'], app: 'y', positionals: [] },
    })
  })

  it('end with the first word that is none, or with two dashes', () => {
    assert.deepEqual(parse('image', '-daemon').positionals, ['image', '-daemon'])
    assert.deepEqual(parse('-daemon', '--', '-app').positionals, ['-app'])
    assert.deepEqual(parse('-', '-daemon').positionals, ['-', '-daemon'])
    assert.deepEqual(parse('-daemon', 'true').positionals, ['true'])
  })

  it('that nobody knows, or that lack or misspell a value, are refused with 2', () => {
    const refused: [words: string[], why: RegExp][] = [
      [['-nonsense'], /flag provided but not defined: -nonsense/],
      [['-app'], /flag needs an argument: -app/],
      [['-daemon=perhaps'], /invalid boolean value "perhaps" for flag -daemon/],
      [['-uid', '1x'], /invalid value "1x" for flag -uid/],
      [['---app', 'x'], /bad flag syntax: ---app/],
      [['-=x'], /bad flag syntax: -=x/],
    ]
    for (const [words, message] of refused)
      assert.throws(() => parse(...words), { code: 'FLAG_INVALID', exitCode: 2, message })
  })

  it('-h and -help ask for help, wherever they stand among flags', () => {
    assert.equal(parse('-daemon', '-h').help, true)
    assert.equal(parse('--help').help, true)
    assert.match(
      goUsage('creator', DEFINITIONS),
      /^Usage of creator:\n {2}-app string\n {4}\tpath to app directory\n/,
    )
  })

  it('read truth and numbers as Go does', () => {
    assert.deepEqual(['1', 't', 'TRUE', 'True', '0', 'f', 'False'].map(parseGoBoolean), [
      ...[true, true, true, true, false, false, false],
    ])
    assert.deepEqual(['yes', '', 'tRUE', 'on'].map(parseGoBoolean), [
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    assert.deepEqual(
      ['0', '12', '-3', '0x10', '010', '0o10', '0b11'].map(parseGoInteger),
      [0, 12, -3, 16, 8, 8, 3],
    )
    assert.deepEqual(['', '1.0', '1e3', '08', '99999999999999999'].map(parseGoInteger), [
      ...[undefined, undefined, undefined, undefined, undefined],
    ])
  })
})
