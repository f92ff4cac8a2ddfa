import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseVersion, compareVersions, startsWith, versionPrefix } from './versions.ts'

describe('versions', () => {
  const offered = ['3.9.9', '3.9.16', '3.10.0', '4.0.0-rc-4', '4.0.0-SNAPSHOT', '2.2.1']
  const choose = (wanted: string, fallback?: string) => chooseVersion('maven', wanted, offered, fallback)

  it('are chosen newest of the line that was asked for, and releases only', () => {
    assert.equal(choose('3.9'), '3.9.16')
    assert.equal(choose('3.9.*'), '3.9.16')
    assert.equal(choose('3'), '3.10.0')
    assert.equal(choose('v3.9.9'), '3.9.9')
    assert.equal(choose(''), '3.10.0')
    assert.equal(choose('', '3.9'), '3.9.16')
    assert.equal(choose('*', '2'), '2.2.1')
    assert.equal(choose('4.0.0-rc-4'), '4.0.0-rc-4')
  })

  it('that are not there are answered with those that are', () => {
    assert.throws(() => choose('3.8'), {
      code: 'RUNTIME_VERSION_UNKNOWN',
      message: /3\.9\.9, 3\.9\.16, 3\.10\.0/,
    })
    assert.throws(() => choose('9'), { code: 'RUNTIME_VERSION_UNKNOWN', message: /there is 2, 3/ })
    assert.throws(() => choose('3.1'), { code: 'RUNTIME_VERSION_UNKNOWN' })
  })

  it('begin with a prefix only at a boundary', () => {
    assert.ok(startsWith('21.0.13+2', '21.0.13'))
    assert.ok(startsWith('21.0.13+2', '21'))
    assert.ok(!startsWith('21.0.13+2', '21.0.1'))
    assert.ok(!startsWith('21.0.13', '2'))
  })

  it('compare by number', () => {
    const sorted = ['1.10', '1.9', '1.9.1', '1.9.0.1', '17.0.21.1+2', '17.0.21+2'].toSorted(compareVersions)
    assert.deepEqual(sorted, ['1.9', '1.9.0.1', '1.9.1', '1.10', '17.0.21+2', '17.0.21.1+2'])
  })

  it('are refused where they are none', () => {
    for (const bad of ['latest', '>=17', '17 || 21', '../..', '1..2', 'x', '17.*.3', '-1']) {
      assert.throws(() => versionPrefix('jre', bad), { code: 'RUNTIME_VERSION_MALFORMED' }, bad)
    }
  })
})
