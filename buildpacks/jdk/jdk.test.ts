import assert from 'node:assert/strict'
import { existsSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Files, names, type WorkbenchOptions, workbench } from '../workbench.testing.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'
import { jlinkWords } from './jlink.ts'
import { wantedVersion } from './version.ts'

/** A jimage with the given names of entries, laid out as OpenJDK writes it. */
function jimage(entries: readonly [base: string, extension: string][]): Buffer {
  const texts = ['', ...entries.flat()]
  const starts = texts.map((_, index) =>
    texts.slice(0, index).reduce((sum, text) => sum + text.length + 1, 0),
  )
  const strings = Buffer.from(texts.map(text => `${text}\0`).join(''), 'latin1')
  const attributes = entries.map((_, index) =>
    // Base name (3) in one byte, extension (4) in two, end (0).
    Buffer.from([3 << 3, starts[1 + index * 2] ?? 0, (4 << 3) | 1, 0, starts[2 + index * 2] ?? 0, 0]),
  )
  const locations = Buffer.concat([Buffer.from([0]), ...attributes])
  const header = Buffer.alloc(28)
  header.writeUInt32LE(0xcafedada, 0)
  header.writeUInt32LE(entries.length, 12)
  header.writeUInt32LE(entries.length, 16)
  header.writeUInt32LE(locations.length, 20)
  header.writeUInt32LE(strings.length, 24)
  const offsets = Buffer.alloc(entries.length * 4)
  entries.forEach((_, index) => void offsets.writeUInt32LE(1 + index * 6, index * 4))
  return Buffer.concat([header, Buffer.alloc(entries.length * 4), offsets, locations, strings])
}

const java: Files = {
  'bin/java': '#!/bin/sh\n',
  'lib/security/cacerts': 'authorities',
  'lib/modules': jimage([
    ['Object', 'class'],
    ['String', 'class'],
    ['names', 'properties'],
  ]),
  'conf/security/java.security':
    '# x\nsecurity.provider.1=SUN\nsecurity.provider.2=SunEC\n#security.provider.3=No\n',
}
const dependencies = {
  jdk: { version: '21.0.9+10', files: { ...java, 'bin/javac': '' } },
  jre: { version: '21.0.9+10', files: java },
}
const forImage = { name: 'jre', metadata: { launch: true } }
const opened = (options: Partial<WorkbenchOptions> = {}) =>
  workbench({ buildpack: 'jdk', files: {}, dependencies, ...options })

describe('jdk', () => {
  it('offers a JDK and a JRE, and each alone', async () => {
    await using bench = await opened()
    const plan = await bench.detect(detect)
    assert.deepEqual(names(plan, 'provides'), ['jdk', 'jre'])
    assert.deepEqual(names(plan, 'requires'), [])
    assert.equal((plan?.or as unknown[] | undefined)?.length, 2)
  })

  it('needs a JDK itself where it is to link a runtime', async () => {
    await using bench = await opened({ environment: { BP_JVM_JLINK_ENABLED: 'true' } })
    assert.deepEqual(names(await bench.detect(detect), 'requires'), ['jdk'])
  })

  it('points at the JDK while building, and copies the JRE into the image', async () => {
    await using bench = await opened()
    await bench.build(build, ['jdk', forImage])
    assert.deepEqual(bench.table('jdk.toml')?.types, { launch: false, build: true, cache: true })
    assert.match(readlinkSync(join(bench.layers, 'jdk/bin')), /trees\/jdk\/bin$/)
    assert.equal(bench.file('jdk/env.build/JAVA_HOME.override'), join(bench.layers, 'jdk'))
    assert.deepEqual(bench.table('jre.toml')?.types, { launch: true, build: false, cache: false })
    assert.equal(bench.file('jre/lib/security/cacerts'), 'authorities')
    assert.ok(existsSync(join(bench.layers, 'jre.sbom.cdx.json')))
  })

  it('tells the image where Java is and what is in it', async () => {
    await using bench = await opened()
    await bench.build(build, [forImage])
    const file = (name: string) => bench.file(`jre/env.launch/${name}.default`)
    assert.equal(file('JAVA_HOME'), join(bench.layers, 'jre'))
    assert.equal(file('BPI_APPLICATION_PATH'), bench.application)
    assert.equal(file('BPI_JVM_CACERTS'), join(bench.layers, 'jre/lib/security/cacerts'))
    assert.equal(file('BPI_JVM_CLASS_COUNT'), '2')
    assert.equal(file('BPI_JVM_SECURITY_PROVIDERS'), '1|SUN 2|SunEC')
    assert.equal(file('MALLOC_ARENA_MAX'), '2')
    assert.ok(!existsSync(join(bench.layers, 'jdk')))
    for (const helper of [
      'memory-calculator',
      'java-truststore',
      'active-processor-count',
      'jvm-out-of-memory',
    ])
      assert.equal(readlinkSync(join(bench.layers, 'helper/exec.d', helper)), '/cnb/lifecycle/launcher')
  })

  it('is made once: nothing changed, and every layer is used again', async () => {
    await using bench = await opened()
    await bench.build(build, ['jdk', forImage])
    const output = await bench.build(build, ['jdk', forImage])
    assert.equal(output.match(/Reusing cached layer/g)?.length, 3)
    assert.ok(!output.includes('Contributing'))
  })

  it('puts a JDK into the image where the user asks for it', async () => {
    await using bench = await opened({ environment: { BP_JVM_TYPE: 'jdk' } })
    await bench.build(build, [forImage])
    assert.ok(existsSync(join(bench.layers, 'jre/bin/javac')))
  })

  it('gives a runtime to later buildpacks where only they need it, by links and without helpers', async () => {
    await using bench = await opened()
    await bench.build(build, [{ name: 'jre', metadata: { build: true } }])
    assert.match(readlinkSync(join(bench.layers, 'jre/bin')), /trees\/jre\/bin$/)
    assert.ok(!existsSync(join(bench.layers, 'helper')))
  })

  it('does nothing that nobody requires', async () => {
    await using bench = await opened()
    assert.ok(!(await bench.build(build, [])).includes('layer'))
  })
})

describe('the version of Java', () => {
  const cases: [string, Files, Record<string, string>, Record<string, unknown>, string][] = [
    [
      'is what the user says',
      { '.sdkmanrc': 'java=17.0.9-tem\n' },
      { BP_JVM_VERSION: ' 25 ' },
      { version: '17' },
      '25',
    ],
    ['is what .sdkmanrc says', { '.sdkmanrc': '# env\njava=17.0.9-tem\n' }, {}, {}, '17'],
    ['is what the app was built with', { 'META-INF/MANIFEST.MF': 'Build-Jdk-Spec: 17\n' }, {}, {}, '17'],
    [
      'is newer than an old one that is not to be had',
      { 'META-INF/MANIFEST.MF': 'Build-Jdk: 1.8.0_422\n' },
      {},
      {},
      '17',
    ],
    ['is the next line after one between', { 'META-INF/MANIFEST.MF': 'Build-Jdk-Spec: 22\n' }, {}, {}, '25'],
    ['is what another buildpack requires', {}, {}, { version: '17' }, '17'],
    ['is left to the platform otherwise', {}, {}, {}, ''],
  ]
  for (const [what, files, environment, jdk, version] of cases)
    it(what, async () => {
      await using bench = await opened({ files, environment })
      let found: string | undefined
      await bench.build(
        async context => {
          found = (await wantedVersion(context)).version
        },
        [{ name: 'jdk', metadata: jdk }],
      )
      assert.equal(found, version)
    })
})

describe('jlink', () => {
  it('gets modules where the user names none, and never an output', () => {
    assert.deepEqual(jlinkWords(['--no-man-pages'], 'java.base'), [
      '--no-man-pages',
      '--add-modules',
      'java.base',
    ])
    assert.deepEqual(jlinkWords(['--output', '/x', '--add-modules=a', '--output=/y'], 'java.base'), [
      '--add-modules=a',
    ])
  })
})
