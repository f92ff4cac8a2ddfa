import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { effectiveTargets, parseBuildpack, takesPart, wantedFiles } from './buildpack.ts'

const head = 'api = "0.10"\n[buildpack]\nid = "acme/x"\nversion = "1.0.0"\n'

describe('parseBuildpack', () => {
  it('reads all that the specification names', () => {
    const text = `api = "0.12"
[buildpack]
id = "acme/x"
version = "1.2.3"
name = "X"
homepage = "https://x.example"
description = "does x"
keywords = ["x"]
clear-env = true
sbom-formats = ["application/spdx+json"]
exec-env = ["test"]
[[buildpack.licenses]]
type = "MIT"
[[targets]]
os = "linux"
arch-variant = "v8"
[[targets.distros]]
name = "debian"
version = "13"
[[stacks]]
id = "*"
[metadata.slipway]
files = ["pom.xml"]
`
    const descriptor = parseBuildpack(text, 'buildpack.toml')
    assert.deepEqual(JSON.parse(JSON.stringify(descriptor)), {
      kind: 'buildpack',
      api: '0.12',
      id: 'acme/x',
      version: '1.2.3',
      name: 'X',
      homepage: 'https://x.example',
      description: 'does x',
      keywords: ['x'],
      licenses: [{ type: 'MIT' }],
      clearEnv: true,
      sbomFormats: ['application/spdx+json'],
      execEnv: ['test'],
      targets: [{ os: 'linux', variant: 'v8', distros: [{ name: 'debian', version: '13' }] }],
      stacks: [{ id: '*', mixins: [] }],
      metadata: { slipway: { files: ['pom.xml'] } },
    })
    assert.deepEqual(wantedFiles(descriptor), ['pom.xml'])
  })

  it('reads the table form of exec-env, and spec and reference spelling of the variant', () => {
    const table = parseBuildpack(`${head}[[buildpack.exec-env]]\nname = "test"\n`, 'x')
    assert.deepEqual(table.execEnv, ['test'])
    const variant = parseBuildpack(`${head}[[targets]]\nvariant = "v7"\n`, 'x')
    assert.equal(variant.targets[0]?.variant, 'v7')
  })

  it('reads composites and extensions', () => {
    const composite = parseBuildpack(
      `${head}[[order]]\n[[order.group]]\nid = "a/b"\nversion = "1"\noptional = true\n`,
      'x',
    )
    assert.deepEqual(composite.order, [[{ id: 'a/b', version: '1', optional: true, execEnv: [] }]])
    assert.equal(parseBuildpack(head.replace('[buildpack]', '[extension]'), 'x').kind, 'extension')
  })

  const bad: [string, string, string][] = [
    ['no table', 'api = "0.10"', 'DOCUMENT_INVALID'],
    ['no api', head.replace(/^api.*/, ''), 'BUILDPACK_API_UNSUPPORTED'],
    ['an id that leaves its directory', head.replace('acme/x', '../x'), 'BUILDPACK_ID_INVALID'],
    ['a version that leaves its directory', head.replace('1.0.0', '../x'), 'BUILDPACK_VERSION_INVALID'],
    ['broken TOML', '[', 'TOML_MALFORMED'],
    ['a wrong type', head.replace('"1.0.0"', '1'), 'DOCUMENT_INVALID'],
  ]
  for (const [what, text, code] of bad) {
    it(`refuses ${what}`, () => assert.throws(() => parseBuildpack(text, 'x'), { code }))
  }
})

describe('effectiveTargets', () => {
  const targets = (more: string, hasBuild = false, api = '0.10') =>
    effectiveTargets(parseBuildpack(`${head.replace('0.10', api)}${more}`, 'x'), hasBuild)
  const bionic = '[[stacks]]\nid = "io.buildpacks.stacks.bionic"\n'
  const ubuntu = { os: 'linux', arch: 'amd64', distros: [{ name: 'ubuntu', version: '18.04' }] }

  it('are those of the buildpack, or inferred', () => {
    assert.deepEqual(targets('[[targets]]\nos = "windows"\n', true), [{ os: 'windows', distros: [] }])
    assert.deepEqual(targets(bionic), [ubuntu])
    assert.deepEqual(targets(bionic, true, '0.9'), [ubuntu])
    assert.deepEqual(targets(`${bionic}[[stacks]]\nid = "x"\n`, true, '0.9'), [{ os: 'linux', distros: [] }])
    assert.deepEqual(targets('[[stacks]]\nid = "*"\n'), [{ distros: [] }])
    assert.deepEqual(targets('', true), [{ os: 'linux', distros: [] }])
    assert.deepEqual(targets(''), [])
  })
})

describe('takesPart', () => {
  it('is true for no environment named, for *, and for that one', () => {
    assert.deepEqual(
      [[], ['*'], ['test'], ['production']].map(list => takesPart(list, 'test')),
      [true, true, true, false],
    )
  })
})
