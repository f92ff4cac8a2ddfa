import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#std'
import { environmentOf, labelsOf, parseConfig } from './config.ts'

function parse(value: unknown) {
  return parseConfig(Buffer.from(JSON.stringify(value)), 'the configuration')
}

const rootfs = { type: 'layers', diff_ids: [digestOf('a')] }

describe('parseConfig', () => {
  it('keeps keys it does not know, in their order, so that printing again changes nothing', () => {
    const text = JSON.stringify({
      architecture: 'amd64',
      'os.version': '1',
      os: 'linux',
      config: { Labels: { a: 'b' }, Healthcheck: { Test: ['CMD', 'x'] }, Env: ['A=1'] },
      rootfs,
      history: [{ created_by: 'x', 'com.example': true }],
    })
    assert.equal(JSON.stringify(parseConfig(Buffer.from(text), 'x')), text)
  })

  it('takes the nulls that Docker writes for nothing', () => {
    const config = parse({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: null, Labels: null },
      rootfs,
      history: null,
    })
    assert.deepEqual(labelsOf(config), {})
    assert.deepEqual([...environmentOf(config)], [])
  })

  it('lets a later variable of the same name win, and cuts at the first equals sign', () => {
    const config = parse({
      architecture: 'a',
      os: 'linux',
      config: { Env: ['A=1', 'B=x=y', 'A=2', 'C'] },
      rootfs,
    })
    assert.deepEqual(Object.fromEntries(environmentOf(config)), { A: '2', B: 'x=y', C: '' })
  })

  it('refuses diffIDs that are no digests and settings of other types', () => {
    const wrong = [
      { os: 'linux', rootfs },
      { architecture: 'a', os: 'linux' },
      { architecture: 'a', os: 'linux', rootfs: { type: 'layers', diff_ids: ['sha256:x'] } },
      { architecture: 'a', os: 'linux', rootfs, config: { Env: 'A=1' } },
      { architecture: 'a', os: 'linux', rootfs, config: { Labels: { a: 1 } } },
    ]
    for (const value of wrong)
      assert.throws(() => parse(value), { code: 'DOCUMENT_INVALID' }, JSON.stringify(value))
  })
})
