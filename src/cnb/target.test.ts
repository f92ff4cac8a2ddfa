import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyTargetMatches, type BaseTarget, describeTarget, type Target, targetMatches } from './target.ts'

const debian: BaseTarget = { os: 'linux', arch: 'amd64', distro: { name: 'debian', version: '13' } }

describe('targetMatches', () => {
  const rows: [string, Target, BaseTarget, boolean][] = [
    ['nothing asked for', { distros: [] }, debian, true],
    ['the same', { os: 'linux', arch: 'amd64', distros: [{ name: 'debian', version: '13' }] }, debian, true],
    ['any version', { distros: [{ name: 'debian' }] }, debian, true],
    ['another version', { distros: [{ name: 'debian', version: '12' }] }, debian, false],
    ['one of several', { distros: [{ name: 'alpine' }, { version: '13' }] }, debian, true],
    ['another system', { os: 'windows', distros: [] }, debian, false],
    ['another architecture', { arch: 'arm64', distros: [] }, debian, false],
    ['a variant where the base names none', { variant: 'v8', distros: [] }, debian, true],
    ['another variant', { variant: 'v8', distros: [] }, { ...debian, variant: 'v7' }, false],
    [
      'a distribution where the base names none',
      { distros: [{ name: 'debian' }] },
      { os: 'linux', arch: 'amd64' },
      false,
    ],
    [
      'an architecture where the base names none',
      { arch: 'arm64', distros: [] },
      { ...debian, arch: '' },
      true,
    ],
  ]
  for (const [what, target, base, expected] of rows) {
    it(`${what}: ${expected}`, () => assert.equal(targetMatches(target, base), expected))
  }

  it('of an empty list is true', () => {
    assert.ok(anyTargetMatches([], debian))
    assert.ok(!anyTargetMatches([{ os: 'plan9', distros: [] }], debian))
  })
})

describe('describeTarget', () => {
  it('names what is known', () => {
    assert.equal(describeTarget(debian), 'linux/amd64 debian 13')
    assert.equal(describeTarget({ distros: [] }), 'any platform')
    assert.equal(describeTarget({ os: 'linux', distros: [{ name: 'a' }, { name: 'b' }] }), 'linux a or b')
  })
})
