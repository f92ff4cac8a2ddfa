import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#std'
import { LARGEST_MANIFEST, parseManifest, printManifest } from './manifest.ts'
import { DOCKER, OCI } from './media-types.ts'

const config = { mediaType: OCI.config, digest: digestOf('config'), size: 6 }
const layer = { mediaType: OCI.layer, digest: digestOf('layer'), size: 5 }

function parse(value: unknown) {
  return parseManifest(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 'the manifest')
}

describe('parseManifest', () => {
  it('reads what printManifest writes, of both families', () => {
    for (const family of ['oci', 'docker'] as const) {
      const types = family === 'oci' ? OCI : DOCKER
      const manifest = {
        family,
        config: { ...config, mediaType: types.config },
        layers: [{ ...layer, mediaType: types.layer }],
        annotations: { a: 'b' },
      }
      assert.deepEqual(parseManifest(printManifest(manifest), 'x'), manifest)
    }
  })

  it('refuses a document that is a manifest and an index at once', () => {
    assert.throws(() => parse({ schemaVersion: 2, config, layers: [layer], manifests: [] }), {
      code: 'MANIFEST_AMBIGUOUS',
    })
  })

  it('refuses other digests than sha256, sizes that are none, and documents of any other shape', () => {
    const wrong = [
      { schemaVersion: 1, config, layers: [layer] },
      { schemaVersion: 2, layers: [layer] },
      { schemaVersion: 2, config, layers: 'none' },
      { schemaVersion: 2, config: { ...config, digest: `sha512:${'a'.repeat(128)}` }, layers: [] },
      { schemaVersion: 2, config: { ...config, digest: 'sha256:../../etc/passwd' }, layers: [] },
      { schemaVersion: 2, config: { ...config, size: -1 }, layers: [] },
      { schemaVersion: 2, config: { ...config, size: 1.5 }, layers: [] },
      { schemaVersion: 2, config: { ...config, size: '6' }, layers: [] },
      [],
    ]
    for (const value of wrong)
      assert.throws(() => parse(value), { code: 'DOCUMENT_INVALID' }, JSON.stringify(value))
    assert.throws(() => parse('{"schemaVersion":2'), { code: 'JSON_MALFORMED' })
    assert.throws(() => parse(`{"x":"${'y'.repeat(LARGEST_MANIFEST)}"}`), {
      code: 'JSON_MALFORMED',
      why: /larger than/,
    })
  })
})
