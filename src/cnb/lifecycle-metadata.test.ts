import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseAnalyzed, printAnalyzed } from './analyzed.ts'
import { NO_METADATA, parseLifecycleMetadata, printLifecycleMetadata } from './lifecycle-metadata.ts'
import { replaceRunImage } from './rebased-metadata.ts'

/** The example of the contract, as the reference prints it. */
const label =
  '{"app":[{"sha":"sha256:a1"},{"sha":"sha256:a2"}],"sbom":{"sha":"sha256:b0"},' +
  '"buildpacks":[{"key":"acme/node","version":"1.2.3","layers":{"runtime":{"sha":"sha256:c0",' +
  '"data":{"node":"20.1.0"},"build":false,"launch":true,"cache":true}},"store":{"metadata":{"seen":"yes"}}},' +
  '{"key":"acme/start","version":"0.4.0","layers":{}}],"config":{"sha":"sha256:d0"},' +
  '"launcher":{"sha":"sha256:e0"},"process-types":{"sha":"sha256:f0"},"runImage":{"topLayer":"sha256:99",' +
  '"reference":"reg.example/run@sha256:88","image":"reg.example/run:noble",' +
  '"mirrors":["mirror.example/run:noble"]},"stack":{"runImage":{"image":"reg.example/run:noble",' +
  '"mirrors":["mirror.example/run:noble"]}}}'

describe('the lifecycle label', () => {
  it('is printed as the reference prints it', () => {
    assert.equal(printLifecycleMetadata(parseLifecycleMetadata(label, 'x')), label)
  })

  it('of nothing has all the keys that the reference writes', () => {
    assert.equal(
      printLifecycleMetadata(NO_METADATA),
      '{"app":[],"buildpacks":[],"config":{"sha":""},"launcher":{"sha":""},"process-types":{"sha":""},' +
        '"runImage":{"topLayer":"","reference":""}}',
    )
    assert.deepEqual(parseLifecycleMetadata('{}', 'x'), NO_METADATA)
  })

  it('has sorted layers, null for no data, and escapes as Go does', () => {
    const layers = new Map([
      ['b', { sha: '', build: false, launch: true, cache: false }],
      ['a', { sha: 's', build: false, launch: true, cache: false, data: { z: '<&>', a: [{ y: 1, b: 2 }] } }],
    ])
    const text = printLifecycleMetadata({ ...NO_METADATA, buildpacks: [{ key: 'k', version: '1', layers }] })
    const shown = /"layers":(.*)\}\],"config"/.exec(text)?.[1]
    assert.equal(
      shown,
      '{"a":{"sha":"s","data":{"a":[{"b":2,"y":1}],"z":"\\u003c\\u0026\\u003e"},"build":false,"launch":true,"cache":false},' +
        '"b":{"sha":"","data":null,"build":false,"launch":true,"cache":false}}',
    )
  })

  it('of old lifecycles is read', () => {
    const old = parseLifecycleMetadata(
      '{"app":{"sha":"x"},"buildpacks":null,"runImage":{"topLayer":"t"}}',
      'x',
    )
    assert.deepEqual([old.app, old.buildpacks, old.runImage.topLayer], [[], [], 't'])
  })

  for (const text of [
    '',
    '1',
    'null',
    '{"buildpacks":[{}]}',
    '{"buildpacks":[{"key":"a","layers":{"l":1}}]}',
  ]) {
    it(`cannot be ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseLifecycleMetadata(text, 'x'), { name: 'Problem' })
    })
  }
})

describe('replaceRunImage', () => {
  it('keeps everything else, unknown keys and odd values too', () => {
    const old =
      '{"app":"odd","new":{"x":1},"runImage":{"topLayer":"a","reference":"b","image":"i","extra":1}}'
    assert.equal(
      replaceRunImage(old, 'x', { topLayer: 't', reference: 'r' }),
      '{"app":"odd","new":{"x":1},"runImage":{"topLayer":"t","reference":"r","image":"i","extra":1}}',
    )
  })

  it('replaces the names when told to, in stack too', () => {
    const replaced = replaceRunImage(label, 'x', { topLayer: 't', reference: 'r', names: { image: 'n' } })
    const { runImage, stack } = parseLifecycleMetadata(replaced, 'x')
    assert.deepEqual(
      [runImage, stack],
      [{ topLayer: 't', reference: 'r', image: 'n' }, { runImage: { image: 'n' } }],
    )
  })
})

describe('analyzed.toml', () => {
  const runImage = {
    reference: 'run@sha256:1',
    image: 'run',
    target: { id: 'i', os: 'linux', arch: 'arm64', variant: 'v8', distro: { name: 'debian', version: '13' } },
  }

  it('carries the label in the spelling of the reference', () => {
    const metadata = parseLifecycleMetadata(label, 'x')
    const text = printAnalyzed({ previousImage: 'app@sha256:2', metadata, runImage })
    assert.match(text, /^\[image\]\nreference = "app@sha256:2"$/m)
    assert.match(text, /^\[metadata.buildpacks.layers.runtime.metadata\]\nnode = "20.1.0"$/m)
    assert.match(text, /^top-layer = "sha256:99"$/m)
    assert.match(text, /^arch-variant = "v8"$/m)
    const parsed = parseAnalyzed(text, 'x')
    assert.equal(printLifecycleMetadata(parsed.metadata), label)
    assert.deepEqual(parsed.runImage, runImage)
    assert.equal(parsed.previousImage, 'app@sha256:2')
  })

  it('holds data that TOML has no word for', () => {
    const json = '{"buildpacks":[{"key":"k","layers":{"l":{"data":{"a":null,"b":[null,1]},"launch":true}}}]}'
    const text = printAnalyzed({ metadata: parseLifecycleMetadata(json, 'x'), runImage })
    assert.deepEqual(
      { ...parseAnalyzed(text, 'x').metadata.buildpacks[0]?.layers.get('l')?.data },
      { b: [1] },
    )
  })

  it('reads the variant as the specification spells it', () => {
    const text =
      '[run-image]\nreference = "r"\n[run-image.target]\nos = "linux"\narch = "arm"\nvariant = "v7"\n'
    assert.equal(parseAnalyzed(text, 'x').runImage.target.variant, 'v7')
    assert.throws(() => parseAnalyzed('', 'x'), { code: 'DOCUMENT_INVALID' })
  })
})
