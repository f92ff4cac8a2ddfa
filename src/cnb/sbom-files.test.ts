import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseLayerName } from './ids.ts'
import { sbomFileOf } from './sbom-files.ts'

describe('sbomFileOf', () => {
  const layers = ['jre', 'a', 'a.b'].map(name => parseLayerName(name, 'x'))
  const rows: [string, string | undefined, string?][] = [
    ['launch.sbom.cdx.json', 'launch'],
    ['build.sbom.spdx.json', 'build'],
    ['jre.sbom.syft.json', 'layer', 'jre'],
    ['a.b.sbom.cdx.json', 'layer', 'a.b'],
    ['a.sbom.cdx.json', 'layer', 'a'],
    ['a.sbom.other.json', 'unknown'],
    ['launch.sbom.json', undefined],
    ['gone.sbom.cdx.json', undefined],
    ['gone.sbom.other.json', undefined],
    ['a.toml', undefined],
    ['a.sbom.cdx.jsonx', undefined],
  ]
  for (const [file, subject, layer] of rows) {
    it(`${file}: ${subject} ${layer ?? ''}`, () => {
      const found = sbomFileOf(file, layers)
      assert.equal(found?.subject, subject)
      assert.equal(found && 'layer' in found ? found.layer : undefined, layer)
    })
  }
})
