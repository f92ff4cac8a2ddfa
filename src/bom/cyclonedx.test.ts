import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { everything } from './bom.testing.ts'
import { COMPONENT_TYPES } from './component.ts'
import { printCycloneDx } from './cyclonedx.ts'
import { parseCycloneDx } from './parse-cyclonedx.ts'

type Table = Readonly<Record<string, unknown>>
const table = (value: unknown) => value as Table
const list = (value: unknown) => (value ?? []) as Table[]

/** Rules of bom-1.6.schema.json that hold for every document: required keys, closed tables, patterns, enumerations. */
function checkComponent(component: Table) {
  assert.deepEqual(
    Object.keys(component).filter(
      key =>
        ![
          'bom-ref',
          'type',
          'name',
          'version',
          'group',
          'supplier',
          'hashes',
          'licenses',
          'cpe',
          'purl',
          'properties',
        ].includes(key),
    ),
    [],
  )
  assert.ok(COMPONENT_TYPES.includes(component.type as never))
  assert.ok(typeof component.name === 'string' && component.name !== '')
  for (const { alg, content } of list(component.hashes)) {
    assert.match(String(alg), /^(MD5|SHA-1|SHA-256|SHA-384|SHA-512)$/)
    assert.match(String(content), /^([a-f0-9]{32}|[a-f0-9]{40}|[a-f0-9]{64}|[a-f0-9]{96}|[a-f0-9]{128})$/)
  }
  const licenses = list(component.licenses)
  assert.ok(licenses.length === 1 || licenses.every(each => 'license' in each), 'an expression stands alone')
  for (const each of licenses)
    assert.equal(Object.keys('license' in each ? table(each.license) : each).length, 1)
  if (component.cpe) assert.match(String(component.cpe), /^cpe:2\.3:[aho*-](:[^:]+){10}$/)
}

describe('printCycloneDx', () => {
  const text = printCycloneDx(everything)
  const document = JSON.parse(text)

  it('keeps the rules of the 1.6 schema', () => {
    assert.equal(document.bomFormat, 'CycloneDX')
    assert.equal(document.specVersion, '1.6')
    assert.match(
      document.serialNumber,
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    const components = [document.metadata.component, ...document.components]
    components.forEach(checkComponent)
    const references = components.map(each => each['bom-ref'])
    assert.equal(new Set(references).size, references.length)
    for (const { ref, dependsOn } of document.dependencies) {
      for (const each of [ref, ...dependsOn]) assert.ok(references.includes(each))
    }
  })

  it('says everything that a component can say', () => {
    const parsed = parseCycloneDx(text, 'x')
    assert.deepEqual(parsed, { ...everything, created: everything.created })
  })

  it('gives equal bytes for equal bills, and another serial number for another', () => {
    assert.equal(printCycloneDx(structuredClone(everything)), text)
    const other = JSON.parse(printCycloneDx({ ...everything, components: everything.components.slice(1) }))
    assert.notEqual(other.serialNumber, document.serialNumber)
  })
})

describe('parseCycloneDx', () => {
  const minimal = (more: Table) => JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.4', ...more })

  it('lists components inside components after the one they are in', () => {
    const inner = { type: 'library', name: 'b', components: [{ type: 'library', name: 'c' }] }
    const text = minimal({
      components: [
        { type: 'library', name: 'a', components: [inner] },
        { type: 'file', name: 'd' },
      ],
    })
    assert.deepEqual(
      parseCycloneDx(text, 'x').components.map(({ name }) => name),
      ['a', 'b', 'c', 'd'],
    )
  })

  it('leaves out what it has no place for, and hashes of other algorithms', () => {
    const text = minimal({
      services: [],
      components: [
        { type: 'library', name: 'a', scope: 'required', hashes: [{ alg: 'BLAKE3', content: 'x' }] },
      ],
    })
    assert.deepEqual(parseCycloneDx(text, 'x').components, [{ type: 'library', name: 'a', version: '' }])
  })

  it('refuses what is no CycloneDX, naming the place', () => {
    for (const text of [
      '{}',
      '[]',
      minimal({ specVersion: '9.0' }),
      minimal({ components: [{ type: 'library' }] }),
      minimal({ components: [{ type: 'toy', name: 'a' }] }),
      minimal({ components: [{ type: 'library', name: 'x'.repeat(3000) }] }),
      minimal({ components: [{ type: 'library', name: 'a', components: [{ type: 'library', name: 1 }] }] }),
    ]) {
      assert.throws(
        () => parseCycloneDx(text, 'the document'),
        { code: 'DOCUMENT_INVALID', what: /the document/ },
        text.slice(0, 80),
      )
    }
    assert.throws(() => parseCycloneDx('{"bomFormat":', 'x'), { code: 'JSON_MALFORMED' })
    const deep = `${'['.repeat(100)}${']'.repeat(100)}`
    assert.throws(() => parseCycloneDx(minimal({}).replace('}', `,"components":${deep}}`), 'x'), {
      code: 'JSON_MALFORMED',
    })
  })
})
