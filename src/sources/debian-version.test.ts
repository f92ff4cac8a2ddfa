import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareDebianVersions } from './debian-version.ts'

const ascending: readonly (readonly [string, string])[] = [
  ['1.0~rc1', '1.0'],
  ['1.0~~', '1.0~'],
  ['1.0', '1.0a'],
  ['1.0', '1.0+b1'],
  ['1.0a', '1.0+b1'],
  ['1.9', '1.10'],
  ['1.0-1', '1.0-1+deb12u1'],
  ['1.0-1~deb12u1', '1.0-1'],
  ['9.0', '1:0.1'],
  ['2.36-9+deb12u7', '2.36-9+deb12u14'],
  ['3.0.17-1~deb12u2', '3.0.22-1~deb12u2'],
  ['20230311+deb12u1', '20250419~deb12u2'],
  ['1.0-1', '1.0-1.1'],
  ['1-3', '1-2-3'],
  ['99999999999999999998', '99999999999999999999'],
]

const version = fc
  .tuple(
    fc.option(fc.nat(3), { nil: undefined }),
    fc.stringMatching(/^[0-9][0-9a-cz.+~]{0,6}$/),
    fc.option(fc.stringMatching(/^[0-9a-c.+~]{1,4}$/), { nil: undefined }),
  )
  .map(
    ([epoch, upstream, revision]) =>
      `${epoch === undefined ? '' : `${epoch}:`}${upstream}${revision === undefined ? '' : `-${revision}`}`,
  )

describe('compareDebianVersions', () => {
  it('knows which of two versions is newer', () => {
    for (const [older, newer] of ascending) {
      assert.ok(compareDebianVersions(older, newer) < 0, `${older} < ${newer}`)
      assert.ok(compareDebianVersions(newer, older) > 0, `${newer} > ${older}`)
    }
  })

  it('takes no epoch and no revision for zero', () => {
    for (const [one, other] of [
      ['1.0', '0:1.0'],
      ['1.0', '1.0-0'],
      ['1.00', '1.0'],
      ['1.0', '1.0'],
    ] as const)
      assert.equal(compareDebianVersions(one, other), 0, `${one} = ${other}`)
  })

  it('is an order', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        assert.equal(Math.sign(compareDebianVersions(a, b)), -Math.sign(compareDebianVersions(b, a)) + 0)
        if (compareDebianVersions(a, b) <= 0 && compareDebianVersions(b, c) <= 0)
          assert.ok(compareDebianVersions(a, c) <= 0)
      }),
      { seed: 7, numRuns: 500 },
    )
  })

  const dpkg = spawnSync('dpkg', ['--version']).status === 0
  it('agrees with dpkg', { skip: dpkg ? false : 'dpkg is not on this machine' }, () => {
    // One shell asks for all of them: a process a pair would take most of the time.
    const words = fc.sample(fc.tuple(version, version), { seed: 11, numRuns: 120 }).flatMap(([a, b]) => {
      const order = Math.sign(compareDebianVersions(a, b))
      return [a, order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq', b]
    })
    const script =
      'while [ $# -gt 0 ]; do dpkg --compare-versions "$1" "$2" "$3" || echo "$1 $2 $3"; shift 3; done'
    const { status, stdout } = spawnSync('sh', ['-c', script, 'sh', ...words], { encoding: 'utf8' })
    assert.deepEqual([status, stdout], [0, ''])
  })
})
