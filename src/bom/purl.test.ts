import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePurl, purl } from './purl.ts'

describe('purl', () => {
  it('encodes, sorts qualifiers and reads back', () => {
    const parts = {
      type: 'deb',
      namespace: 'debian',
      name: 'libstdc++6',
      version: '1:2~3',
      qualifiers: { distro: 'debian-13', arch: 'amd64' },
    }
    const text = purl(parts)
    assert.equal(text, 'pkg:deb/debian/libstdc%2B%2B6@1:2~3?arch=amd64&distro=debian-13')
    assert.deepEqual(parsePurl(text), parts)
  })

  it('names Maven artefacts, scoped npm packages and images', () => {
    assert.equal(
      purl({ type: 'maven', namespace: 'org.example', name: 'shop', version: '1' }),
      'pkg:maven/org.example/shop@1',
    )
    assert.equal(purl({ type: 'npm', namespace: '@acme', name: 'x', version: '1' }), 'pkg:npm/%40acme/x@1')
    assert.equal(
      purl({ type: 'oci', name: 'shop', version: 'sha256:0a', qualifiers: { tag: '1' } }),
      'pkg:oci/shop@sha256:0a?tag=1',
    )
  })

  it('refuses what is none', () => {
    for (const text of ['', 'npm/x', 'pkg:', 'pkg:npm'])
      assert.throws(() => parsePurl(text), { code: 'PURL_INVALID' }, text)
  })
})
