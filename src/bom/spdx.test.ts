import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { everything } from './bom.testing.ts'
import { parseSpdx } from './parse-spdx.ts'
import { printSpdx } from './spdx.ts'

describe('printSpdx', () => {
  const text = printSpdx(everything)
  const document = JSON.parse(text)

  it('keeps the rules of SPDX 2.3: required keys, ids, times, expressions and references', () => {
    for (const key of ['SPDXID', 'creationInfo', 'dataLicense', 'name', 'spdxVersion', 'documentNamespace'])
      assert.ok(document[key], key)
    assert.match(document.documentNamespace, /^https:\/\/spdx\.org\/spdxdocs\/[\w.-]+$/)
    assert.equal(document.creationInfo.created, '2026-11-24T12:00:00Z')
    assert.ok(
      document.creationInfo.creators.every((each: string) => /^(Tool|Organization|Person): /.test(each)),
    )
    const ids = document.packages.map((each: { SPDXID: string }) => each.SPDXID)
    assert.equal(new Set(ids).size, ids.length)
    const references = (document.hasExtractedLicensingInfos ?? []).map(
      (each: { licenseId: string }) => each.licenseId,
    )
    for (const each of document.packages) {
      assert.match(each.SPDXID, /^SPDXRef-[\w.-]+$/)
      assert.ok(each.name && each.downloadLocation)
      assert.equal(each.filesAnalyzed, false)
      for (const { algorithm } of each.checksums ?? [])
        assert.match(algorithm, /^(MD5|SHA1|SHA256|SHA384|SHA512)$/)
      for (const { referenceCategory } of each.externalRefs ?? [])
        assert.match(referenceCategory, /^(PACKAGE-MANAGER|SECURITY)$/)
      for (const [name] of each.licenseDeclared.matchAll(/LicenseRef-[\w.-]+/g))
        assert.ok(references.includes(name))
    }
    for (const { spdxElementId, relatedSpdxElement } of document.relationships) {
      assert.ok([...ids, 'SPDXRef-DOCUMENT'].includes(spdxElementId))
      assert.ok(ids.includes(relatedSpdxElement))
    }
  })

  it('joins licenses to one expression, with names that are none as references', () => {
    const declared = document.packages.map((each: { licenseDeclared: string }) => each.licenseDeclared)
    assert.deepEqual(declared, [
      'NOASSERTION',
      'NOASSERTION',
      'GPL-3.0-or-later WITH GCC-exception-3.1',
      'Apache-2.0 AND LicenseRef-1',
      'GPL-2.0-only',
    ])
  })

  it('can be read back, but for what SPDX cannot say', () => {
    const { subject, components } = parseSpdx(text, 'x')
    assert.deepEqual(subject, everything.subject)
    const [system, library, , application] = everything.components
    const { properties: _, ...withoutProperties } = library ?? {}
    assert.deepEqual(components[0], system)
    assert.deepEqual(components[1], withoutProperties)
    assert.deepEqual(components[3], application)
    assert.equal(components[2]?.name, 'org.example/shop')
  })

  it('gives equal bytes for equal bills, has a time even where there is none, and UTC where there is another', () => {
    assert.equal(printSpdx(structuredClone(everything)), text)
    assert.equal(JSON.parse(printSpdx({ components: [] })).creationInfo.created, '1980-01-01T00:00:01Z')
    const shifted = printSpdx({ components: [], created: '2026-11-24T12:00:00+02:00' })
    assert.equal(JSON.parse(shifted).creationInfo.created, '2026-11-24T10:00:00Z')
    assert.equal(
      JSON.parse(printSpdx({ components: [], created: 'yesterday' })).creationInfo.created,
      '1980-01-01T00:00:01Z',
    )
  })
})

describe('parseSpdx', () => {
  const minimal = { spdxVersion: 'SPDX-2.2', creationInfo: {}, packages: [] }

  it('refuses what is no SPDX', () => {
    for (const value of [
      {},
      { ...minimal, spdxVersion: 'SPDX-3.0' },
      { ...minimal, packages: [{ SPDXID: 'x' }] },
      { ...minimal, packages: [{ SPDXID: 'x', name: 1 }] },
    ]) {
      assert.throws(() => parseSpdx(JSON.stringify(value), 'the document'), { code: 'DOCUMENT_INVALID' })
    }
    assert.throws(() => parseSpdx('SPDXVersion: SPDX-2.3', 'x'), { code: 'JSON_MALFORMED' })
  })

  it('takes the package that an older document describes for its subject', () => {
    const document = {
      ...minimal,
      documentDescribes: ['a'],
      packages: [
        { SPDXID: 'b', name: 'inner' },
        { SPDXID: 'a', name: 'outer' },
      ],
    }
    const { subject, components } = parseSpdx(JSON.stringify(document), 'x')
    assert.equal(subject?.name, 'outer')
    assert.deepEqual(components, [{ type: 'library', name: 'inner', version: '' }])
  })
})
