import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { escapeId, parseBuildpackId, parseLayerName, parseProcessType, parseVersion } from './ids.ts'

describe('buildpack ids', () => {
  it('become directory names', () => {
    assert.equal(escapeId(parseBuildpackId('acme/node.js/x-1', 'x')), 'acme_node.js_x-1')
  })

  const bad = [
    '',
    '/',
    'a//b',
    '/a',
    'a/',
    '..',
    'a/..',
    'a/./b',
    'a_b',
    'a b',
    'app',
    'config',
    'sbom',
    'generated',
  ]
  for (const id of [...bad, 'plan.toml', 'ä', 'a\n', 'x'.repeat(201)]) {
    it(`${JSON.stringify(id.slice(0, 20))} is none`, () => {
      assert.throws(() => parseBuildpackId(id, 'x'), { code: 'BUILDPACK_ID_INVALID' })
    })
  }
})

describe('versions, layer names and process types', () => {
  it('are what can be a file name and be shown', () => {
    assert.equal(parseVersion('1.2.3-rc.1+x', 'x'), '1.2.3-rc.1+x')
    assert.equal(parseLayerName('a.b c', 'x'), 'a.b c')
    assert.equal(parseProcessType('web.1_a-b', 'x'), 'web.1_a-b')
  })

  for (const version of ['', '..', '../1', '1/2', '-1', '1 2', '1\u001b']) {
    it(`${JSON.stringify(version)} is no version`, () => {
      assert.throws(() => parseVersion(version, 'x'), { code: 'BUILDPACK_VERSION_INVALID' })
    })
  }
  for (const name of ['', '.', '..', 'a/b', 'build', 'launch', 'store', 'a\u001b[0m', 'a\ufffd', 'a\0']) {
    it(`${JSON.stringify(name)} is no layer name`, () => {
      assert.throws(() => parseLayerName(name, 'x'), { code: 'LAYER_NAME_INVALID' })
    })
  }
  for (const type of ['', ' ', 'a b', 'a/b', '.', '..', 'ä', 'a:b', 'a\n']) {
    it(`${JSON.stringify(type)} is no process type`, () => {
      assert.throws(() => parseProcessType(type, 'x'), { code: 'PROCESS_TYPE_INVALID' })
    })
  }
})
