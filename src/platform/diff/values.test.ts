import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compareValues, valuesInside } from './values.ts'

describe('values of two images', () => {
  it('are named where one of both has them alone or they differ', () => {
    const before = new Map([
      ['same', '1'],
      ['gone', '1'],
      ['other', '1'],
    ])
    const after = new Map([
      ['other', '2'],
      ['same', '1'],
      ['come', '1'],
    ])
    assert.deepEqual(compareValues(before, after), [
      { name: 'come', after: '1' },
      { name: 'gone', before: '1' },
      { name: 'other', before: '1', after: '2' },
    ])
  })

  it('inside JSON are found by their way', () => {
    const text = '{"app":[{"sha":"x"}],"none":{},"list":[],"deep":{"er":null,"n":1.5}}'
    assert.deepEqual(Object.fromEntries(valuesInside(text)), {
      'app[0].sha': 'x',
      none: '{}',
      list: '[]',
      'deep.er': 'null',
      'deep.n': '1.5',
    })
  })

  it('are one text where it is no JSON, however deep it pretends to be', () => {
    assert.deepEqual([...valuesInside('{plain')], [['', '{plain']])
    const deep = `${'['.repeat(40)}${']'.repeat(40)}`
    assert.equal(valuesInside(deep).size, 1)
  })
})
