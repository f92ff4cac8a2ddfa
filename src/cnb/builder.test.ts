import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recording } from '#std'
import { parseBuilderConfig } from './builder-config.ts'
import { buildVariableFiles } from './builder-environment.ts'
import { parseBuilderMetadata, printBuilderMetadata, runImagesOf } from './builder-metadata.ts'
import { parseTarget } from './builder-target.ts'
import { parseLifecycleDescriptor, printLifecycleDescriptor } from './lifecycle-descriptor.ts'
import { parsePackageConfig } from './package-config.ts'
import { parseStack, printStack } from './stack.ts'

const BUILDER = `description = "ours"
[[buildpacks]]
uri = "one.cnb"
[[buildpacks]]
id = "acme/two"
version = "2.0.0"
image = "example.com/two:2"
[[order]]
[[order.group]]
id = "acme/two"
version = "2.0.0"
optional = true
[build]
image = "example.com/build:1"
[[build.env]]
name = "PATH"
value = "/opt"
suffix = "append"
delim = ":"
[[run.images]]
image = "example.com/run:1"
mirrors = ["example.org/run:1"]
[lifecycle]
uri = "lifecycle.tgz"
[[targets]]
os = "linux"
arch = "amd64"
`

describe('parseBuilderConfig', () => {
  it('reads what pack reads', () => {
    const config = parseBuilderConfig(BUILDER, 'builder.toml')
    assert.deepEqual(config.buildpacks, [
      { uri: 'one.cnb' },
      { id: 'acme/two', version: '2.0.0', image: 'example.com/two:2' },
    ])
    assert.equal(config.order[0]?.[0]?.optional, true)
    assert.equal(config.buildImage, 'example.com/build:1')
    assert.deepEqual(config.runImages, [{ image: 'example.com/run:1', mirrors: ['example.org/run:1'] }])
    assert.deepEqual(config.targets, [{ os: 'linux', arch: 'amd64', distros: [] }])
    assert.deepEqual(Object.fromEntries(buildVariableFiles(config.buildVariables)), {
      'PATH.append': '/opt',
      'PATH.delim': ':',
    })
  })

  it('takes a stack where there are no images', () => {
    const config = parseBuilderConfig(
      '[stack]\nid = "s"\nbuild-image = "b"\nrun-image = "r"\nrun-image-mirrors = ["m"]\n',
      'x',
    )
    assert.equal(config.buildImage, 'b')
    assert.deepEqual(config.runImages, [{ image: 'r', mirrors: ['m'] }])
    assert.equal(config.stackId, 's')
  })

  it('names the line of a key that it does not know', () => {
    const cases: [string, RegExp][] = [
      ['descripton = "x"\n', /line 1, column 1: descripton: there is no such key here/],
      [`${BUILDER}[lifecyle]\n`, /line \d+, column 2: lifecyle/],
      [
        BUILDER.replace('uri = "one.cnb"', 'uri = "one.cnb"\nurl = "x"'),
        /line 4, column 1: buildpacks\.0\.url/,
      ],
      [
        BUILDER.replace('optional = true', 'optionl = true'),
        /line 12, column 1: order\.0\.group\.0\.optionl/,
      ],
      [BUILDER.replace('mirrors', 'mirror'), /line 22, column 1: run\.images\.0\.mirror/],
    ]
    for (const [toml, why] of cases)
      assert.throws(() => parseBuilderConfig(toml, 'builder.toml'), { code: 'DOCUMENT_INVALID', why }, toml)
  })

  it('refuses what contradicts itself or misses something', () => {
    const cases: [string, RegExp][] = [
      [BUILDER.replace('[build]\nimage = "example.com/build:1"', '[build]'), /names no image to build in/],
      [BUILDER.replace('[[run.images]]', '[x]'), /x: there is no such key/],
      [BUILDER.replace('uri = "one.cnb"', ''), /number 1 has neither/],
      [BUILDER.replace('uri = "one.cnb"', 'uri = "a"\nimage = "b"'), /number 1 has both/],
      [BUILDER.replace('delim = ":"', ''), /to be appended, but has no delim/],
      [BUILDER.replace('uri = "lifecycle.tgz"', 'uri = "a"\nversion = "1"'), /both "version" and "uri"/],
      [`${BUILDER}[stack]\nbuild-image = "other"\n`, /\[build\] image and \[stack\] build-image differ/],
      [`${BUILDER}[stack]\nrun-image = "other"\n`, /\[stack\] run-image differ/],
      [BUILDER.replace('suffix = "append"', 'suffix = "apend"'), /must be one of/],
    ]
    for (const [toml, why] of cases)
      assert.throws(() => parseBuilderConfig(toml, 'builder.toml'), { code: 'DOCUMENT_INVALID', why }, toml)
    const report = recording()
    parseBuilderConfig(BUILDER.replace(/\[\[order.*optional = true\n/s, ''), 'builder.toml', report)
    assert.match(JSON.stringify(report), /has no \[\[order\]\]/)
  })
})

describe('parsePackageConfig', () => {
  it('reads what pack reads', () => {
    const toml = '[buildpack]\nuri = "."\n[[dependencies]]\nuri = "../two"\n[[dependencies]]\nimage = "i"\n'
    assert.deepEqual(parsePackageConfig(toml, 'package.toml'), {
      kind: 'buildpack',
      uri: '.',
      dependencies: [{ uri: '../two' }, { image: 'i' }],
      targets: [],
    })
    assert.equal(parsePackageConfig('[extension]\nuri = "x"\n', 'p').kind, 'extension')
  })

  it('refuses unknown keys and places that are none', () => {
    const cases: [string, RegExp][] = [
      ['[buildpack]\nuri = "."\npath = "x"\n', /line 3, column 1: buildpack\.path/],
      ['[buildpack]\n', /where the buildpack is/],
      ['[buildpack]\nuri = "."\n[[dependencies]]\n', /neither/],
      ['[buildpack]\nuri = "."\n[platform]\nos = "windows"\n', /windows/],
    ]
    for (const [toml, why] of cases)
      assert.throws(() => parsePackageConfig(toml, 'p'), { code: 'DOCUMENT_INVALID', why }, toml)
  })
})

describe('the metadata of a builder', () => {
  const label =
    '{"description":"ours","buildpacks":[{"id":"acme/one","name":"One","version":"1.2.3"}],"extensions":null,' +
    '"stack":{"runImage":{"image":"","mirrors":null}},"lifecycle":{"version":"0.20.4","api":{"buildpack":"0.7","platform":"0.7"},' +
    '"apis":{"buildpack":{"deprecated":[],"supported":["0.7","0.10"]},"platform":{"deprecated":[],"supported":["0.7","0.14"]}}},' +
    '"createdBy":{"name":"Pack CLI","version":"0.36.4"},"images":[{"image":"r","mirrors":null}]}'

  it('is read and printed as pack writes it, byte for byte', () => {
    assert.equal(printBuilderMetadata(parseBuilderMetadata(label, 'a label')), label)
  })

  it('has the run image of a stack after those of its list', () => {
    const found = parseBuilderMetadata(label.replace('"image":""', '"image":"s"'), 'a label')
    assert.deepEqual(
      runImagesOf(found).map(({ image }) => image),
      ['r', 's'],
    )
  })

  it('is refused where it does not say what its lifecycle speaks', () => {
    for (const [from, to] of [
      ['"version":"0.20.4"', '"version":""'],
      ['"platform":"0.7"}', '"platform":""}'],
    ] as const) {
      const text = label.replace(from, to).replace('["0.7","0.14"]', 'null')
      assert.throws(() => parseBuilderMetadata(text, 'a label'), { code: 'DOCUMENT_INVALID' }, to)
    }
  })
})

describe('documents in a builder', () => {
  it('are read as they were printed', () => {
    const descriptor = {
      version: '0.1.0',
      apis: {
        buildpack: { supported: ['0.7', '0.12'], deprecated: [] },
        platform: { supported: ['0.12', '0.15'], deprecated: ['0.11'] },
      },
    }
    const text = printLifecycleDescriptor(descriptor)
    assert.deepEqual(parseLifecycleDescriptor(text, 'lifecycle.toml'), descriptor)
    assert.match(text, /\[api\]\nbuildpack = "0\.7"\nplatform = "0\.11"/)
    const old = '[lifecycle]\nversion = "0.5"\n[api]\nbuildpack = "0.2"\nplatform = "0.1"\n'
    assert.deepEqual(parseLifecycleDescriptor(old, 'l').apis.platform, { supported: ['0.1'], deprecated: [] })
    assert.deepEqual(parseStack(printStack({ image: 'r', mirrors: ['m'] }), 's'), {
      image: 'r',
      mirrors: ['m'],
    })
    assert.equal(parseStack(printStack(undefined), 's'), undefined)
  })

  it('take targets as pack writes them', () => {
    assert.deepEqual(parseTarget('linux/arm/v6:debian@12@13;ubuntu@24.04'), {
      os: 'linux',
      arch: 'arm',
      variant: 'v6',
      distros: [
        { name: 'debian', version: '12' },
        { name: 'debian', version: '13' },
        { name: 'ubuntu', version: '24.04' },
      ],
    })
    assert.throws(() => parseTarget('Linux!'), { code: 'DOCUMENT_INVALID' })
  })
})
