import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseLayer, printLayer, printRestoredLayer } from './layer.ts'

describe('<layer>.toml', () => {
  it('is read and printed', () => {
    const text =
      '[types]\nlaunch = true\nbuild = false\ncache = true\n\n[metadata]\nversion = 21\nratio = 1.5\n'
    const layer = parseLayer(text, 'x')
    assert.deepEqual(layer.types, { launch: true, build: false, cache: true })
    assert.equal(printLayer(layer), text)
  })

  it('of nothing is for nothing', () => {
    assert.deepEqual(parseLayer('', 'x'), { types: { launch: false, build: false, cache: false } })
  })

  for (const flag of ['launch', 'build', 'cache']) {
    it(`refuses ${flag} outside [types]`, () => {
      assert.throws(() => parseLayer(`${flag} = true`, 'x'), {
        code: 'DOCUMENT_INVALID',
        why: new RegExp(flag),
      })
    })
  }
  it('refuses flags that are no booleans', () => {
    assert.throws(() => parseLayer('[types]\nlaunch = "true"', 'x'), { code: 'DOCUMENT_INVALID' })
  })

  it('comes back with its metadata alone, whole numbers as integers', () => {
    const data = JSON.parse('{"version":21,"list":[1,null,2],"none":null,"deep":{"none":null,"a":"b"}}')
    assert.equal(
      printRestoredLayer(data),
      '[metadata]\nversion = 21\nlist = [ 1, 2 ]\n\n[metadata.deep]\na = "b"\n',
    )
    assert.equal(printRestoredLayer({}), '')
    assert.equal(printRestoredLayer(undefined), '')
  })
})
