import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Digest } from '#std'
import { parseBuildpack } from './buildpack.ts'
import { parseBuildpackage, printBuildpackage } from './buildpackage.ts'
import { moduleLayer, parseModuleLayers, printModuleLayers } from './buildpackage-layers.ts'
import { parseBuildpackLocator } from './buildpackage-locator.ts'
import { parseOrderLabel, printOrderLabel } from './buildpackage-order.ts'
import { chooseRegistryEntry, parseRegistryIndex, registryIndexPath } from './buildpackage-registry.ts'

const DIFF_ID = 'sha256:43a23821c434bce1dd7046d2ef851bd44e3fa489f3f4f253ce762f7de032d5fe' as Digest

/** Labels that pack 0.36.4 wrote for the buildpack.toml below. */
const LAYERS = `{"acme/one":{"1.2.3":{"api":"0.10","targets":[{"os":"linux","arch":"amd64","distros":[{"name":"debian","version":"13"}]},{"os":"linux","arch":"arm64"}],"layerDiffID":"${DIFF_ID}","homepage":"https://example.com/one","name":"One \\u003c\\u0026 only\\u003e"}}}`
const METADATA =
  '{"id":"acme/one","name":"One \\u003c\\u0026 only\\u003e","version":"1.2.3","description":"does one","homepage":"https://example.com/one","keywords":["a","b"],"licenses":[{"Type":"MIT","URI":"https://example.com/l"}],"stacks":[{"id":"*"}]}'
const BUILDPACK = `
api = "0.10"
[buildpack]
id = "acme/one"
version = "1.2.3"
name = "One <& only>"
homepage = "https://example.com/one"
[[targets]]
os = "linux"
arch = "amd64"
[[targets.distros]]
name = "debian"
version = "13"
[[targets]]
os = "linux"
arch = "arm64"
`

describe('labels of buildpackages', () => {
  it('are read and printed as pack writes them, byte for byte', () => {
    assert.equal(printModuleLayers(parseModuleLayers(LAYERS, 'a label')), LAYERS)
    assert.equal(printBuildpackage(parseBuildpackage(METADATA, 'a label')), METADATA)
    const order = '[{"group":[{"id":"acme/one","version":"1.2.3","optional":true},{"id":"acme/two"}]}]'
    assert.equal(printOrderLabel(parseOrderLabel(order, 'a label')), order)
    assert.equal(printOrderLabel(parseOrderLabel('null', 'a label')), 'null')
  })

  it('say of a buildpack what its buildpack.toml says', () => {
    const layer = moduleLayer(parseBuildpack(BUILDPACK, 'buildpack.toml'), DIFF_ID)
    assert.equal(printModuleLayers([layer]), LAYERS)
  })

  it('take what Go prints for nothing, and APIs that nobody here speaks', () => {
    const text = `{"a":{"1":{"api":"0.2","stacks":null,"order":null,"layerDiffID":"${DIFF_ID}"}},"b":null}`
    assert.deepEqual(
      parseModuleLayers(text, 'a label').map(({ id, api }) => [id, api]),
      [['a', '0.2']],
    )
  })

  it('refuse ids and digests that could be taken for something else', () => {
    const named = (id: string, version = '1') =>
      `{${JSON.stringify(id)}:{${JSON.stringify(version)}:{"api":"0.10","layerDiffID":"${DIFF_ID}"}}}`
    assert.throws(() => parseModuleLayers(named('../up'), 'x'), { code: 'BUILDPACK_ID_INVALID' })
    assert.throws(() => parseModuleLayers(named('up', '../1'), 'x'), { code: 'BUILDPACK_VERSION_INVALID' })
    assert.throws(() => parseModuleLayers(named('up').replace('sha256:', 'md5:'), 'x'), {
      code: 'DOCUMENT_INVALID',
    })
    assert.throws(() => parseModuleLayers('[', 'x'), { code: 'JSON_MALFORMED' })
  })
})

describe('parseBuildpackLocator', () => {
  it('tells the forms apart', () => {
    const cases: Record<string, unknown> = {
      'from=builder': { kind: 'from-builder' },
      'urn:cnb:builder:acme/one@1.2.3': { kind: 'builder-id', id: 'acme/one', version: '1.2.3' },
      'from=builder:acme/one': { kind: 'builder-id', id: 'acme/one' },
      'urn:cnb:registry:acme/one@1.2.3': { kind: 'registry-id', id: 'acme/one', version: '1.2.3' },
      'file:///a%20b/c': { kind: 'path', path: '/a b/c' },
      'https://example.com/a.tgz': { kind: 'url', url: 'https://example.com/a.tgz' },
      'docker://example.com/a:1': { kind: 'image', reference: 'example.com/a:1' },
      'docker:/example.com/a': { kind: 'image', reference: 'example.com/a' },
      './here': { kind: 'bare', text: './here' },
      'acme/one@1.2.3': { kind: 'bare', text: 'acme/one@1.2.3' },
    }
    for (const [text, expected] of Object.entries(cases))
      assert.deepEqual(parseBuildpackLocator(text), expected, text)
  })

  it('refuses what it cannot know', () => {
    for (const text of ['', 'ftp://example.com/a', 'urn:cnb:builder:a@1@2'])
      assert.throws(() => parseBuildpackLocator(text), { code: 'DOCUMENT_INVALID' }, text)
  })
})

describe('an index of a buildpack registry', () => {
  it('keeps buildpacks by the letters of their names', () => {
    assert.equal(registryIndexPath('acme', 'a'), '1/acme_a')
    assert.equal(registryIndexPath('acme', 'ab'), '2/acme_ab')
    assert.equal(registryIndexPath('acme', 'abc'), '3/ab/acme_abc')
    assert.equal(registryIndexPath('acme', 'abcdef'), 'ab/cd/acme_abcdef')
    assert.throws(() => registryIndexPath('..', 'abc'), { code: 'DOCUMENT_INVALID' })
  })

  it('gives a version that is asked for, or the newest that was not taken back', () => {
    const line = (version: string, yanked = false) =>
      JSON.stringify({ ns: 'acme', name: 'one', version, yanked, addr: `example.com/one@${DIFF_ID}` })
    const versions = [line('1.9.0'), line('1.10.0'), line('1.11.0-rc.1'), line('2.0.0', true)]
    const entries = parseRegistryIndex(`${versions.join('\n')}\n`, 'an index')
    assert.equal(chooseRegistryEntry(entries, undefined)?.version, '1.11.0-rc.1')
    assert.equal(chooseRegistryEntry(entries, '1.9.0')?.version, '1.9.0')
    assert.equal(chooseRegistryEntry(entries, '2.0.0'), undefined)
  })
})
