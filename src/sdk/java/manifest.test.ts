import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseManifest } from './manifest.ts'

const manifest = (...lines: string[]) => parseManifest(Buffer.from(lines.join('\r\n')))

describe('parseManifest', () => {
  it('joins lines that were cut, even within a character', () => {
    const name = Buffer.from('Implementation-Title: Straße')
    const cut = name.indexOf(0xc3) + 1
    const content = Buffer.concat([
      name.subarray(0, cut),
      Buffer.from('\r\n '),
      name.subarray(cut),
      Buffer.from('\r\n'),
    ])
    assert.equal(parseManifest(content).get('Implementation-Title'), 'Straße')
  })

  it('reads the main section only', () => {
    const { get } = manifest('Manifest-Version: 1.0', '', 'Name: a/B.class', 'Main-Class: wrong', '')
    assert.equal(get('Manifest-Version'), '1.0')
    assert.equal(get('Main-Class'), undefined)
  })

  it('knows names in any case, and the first of two', () => {
    assert.equal(manifest('main-class: a.B', 'Main-Class: c.D', '').get('Main-Class'), 'a.B')
  })

  it('is empty for what is no manifest', () => {
    assert.equal(parseManifest(Buffer.from([0, 255, 10, 1])).get('Main-Class'), undefined)
  })
})
