import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  chooseInRange,
  chooseVersion,
  compareVersions,
  startsWith,
  versionPrefix,
  wantedText,
} from './versions.ts'

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

  it('in a range are those of the preferred line, else of an even one, else the newest', () => {
    const nodes = ['20.1.0', '22.1.0', '22.9.1', '24.1.0', '25.2.0', '26.1.0', '27.0.0-rc.1']
    const node = (wanted: string) => chooseInRange('node', wanted, nodes, ['24'])
    assert.equal(node(''), '24.1.0')
    assert.equal(node('*'), '24.1.0')
    assert.equal(node('x'), '24.1.0')
    assert.equal(node('>=18'), '24.1.0')
    assert.equal(node('>=25'), '26.1.0')
    assert.equal(node('^22 || ^20'), '22.9.1')
    assert.equal(node('25'), '25.2.0')
    assert.equal(node('>=25 <26'), '25.2.0')
    assert.equal(node('v22.1.0'), '22.1.0')
    assert.throws(() => node('>=30'), { code: 'RUNTIME_VERSION_UNKNOWN', message: /there is 20, 22/ })
    assert.throws(() => node('lts/*'), { code: 'RUNTIME_VERSION_MALFORMED' })
  })

  it('are written in locks in one way', () => {
    assert.equal(wantedText('node', ' >=18   <21 '), '>=18 <21')
    assert.equal(wantedText('node', 'v24.x'), '24')
    assert.equal(wantedText('node', '*'), '')
    assert.throws(() => wantedText('jdk', '>=18'), { code: 'RUNTIME_VERSION_MALFORMED' })
  })
})
