import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { manifest, names, processOf, workbench, zipOf } from '../workbench.testing.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'

const buildpack = 'executable-jar'
const PLAN = ['jvm-application', 'jvm-application-package']
const MANIFEST = 'META-INF/MANIFEST.MF'
const jar = (...lines: string[]) => zipOf({ [MANIFEST]: manifest(...lines), 'a/Main.class': '' })

describe('executable-jar', () => {
  it('provides the package where the jar is unpacked already, and asks for a JRE in the image', async () => {
    await using bench = await workbench({ buildpack, files: { [MANIFEST]: manifest('Main-Class: a.Main') } })
    const plan = await bench.detect(detect)
    assert.deepEqual(names(plan, 'provides'), ['jvm-application', 'jvm-application-package'])
    assert.deepEqual(names(plan, 'requires'), ['jre', 'jvm-application-package', 'jvm-application'])
    assert.deepEqual((plan?.requires as unknown[])?.[0], { name: 'jre', metadata: { launch: true } })
  })

  it('leaves the package to others where there is only source', async () => {
    await using bench = await workbench({ buildpack, files: { 'pom.xml': '' } })
    assert.deepEqual(names(await bench.detect(detect), 'provides'), ['jvm-application'])
  })

  it('starts an unpacked jar with its class path, without what lies outside', async () => {
    const lines = ['Main-Class: a.Main', 'Class-Path: lib/x%20y.jar ../../etc/z.jar']
    await using bench = await workbench({ buildpack, files: { [MANIFEST]: manifest(...lines) } })
    const printed = await bench.build(build, PLAN)
    assert.deepEqual(processOf(bench.table('launch.toml'), 'web'), {
      type: 'web',
      command: ['java', 'a.Main'],
      args: [],
      default: true,
    })
    assert.equal(processOf(bench.table('launch.toml'), 'task')?.default, false)
    const classPath = `${bench.application}:${bench.application}/lib/x y.jar`
    assert.equal(bench.file('classpath/env.launch/CLASSPATH.prepend'), classPath)
    assert.equal(bench.file('classpath/env.launch/CLASSPATH.delim'), ':')
    assert.match(printed, /^slipway Buildpack for Executable JAR/m)
    assert.match(printed, /web: +java a\.Main \(default\)/)
  })

  it('starts the only jar with a main class, and lists jars in the bill of materials', async () => {
    const files = { 'app.jar': jar('Main-Class: a.Main'), 'library-1.2.jar': jar() }
    await using bench = await workbench({ buildpack, files })
    assert.deepEqual(names(await bench.detect(detect), 'provides'), PLAN)
    await bench.build(build, PLAN)
    const { command } = processOf(bench.table('launch.toml'), 'web') ?? {}
    assert.deepEqual(command, ['java', '-jar', join(bench.application, 'app.jar')])
    const { components } = JSON.parse(bench.file('launch.sbom.cdx.json'))
    assert.deepEqual(
      components.map((each: { name: string; version?: string }) => [each.name, each.version]),
      [
        ['app', undefined],
        ['library', '1.2'],
      ],
    )
  })

  it('refuses to choose between jars, and takes the one that is named', async () => {
    const files = { 'a.jar': jar('Main-Class: a.Main'), 'b.jar': jar('Main-Class: a.Main') }
    await using bench = await workbench({ buildpack, files })
    await assert.rejects(bench.build(build, PLAN), { code: 'JARS_AMBIGUOUS', why: /a\.jar, b\.jar/ })

    const environment = { BP_EXECUTABLE_JAR_LOCATION: 'target/*.jar' }
    await using other = await workbench({
      buildpack,
      files: { ...files, 'target/c.jar': files['a.jar'] },
      environment,
    })
    await other.build(build, PLAN)
    assert.match(String(processOf(other.table('launch.toml'), 'web')?.command), /target\/c\.jar$/)
  })

  it('unpacks the jar of a Spring Boot application', async () => {
    const files = { 'shop.jar': jar('Main-Class: a.Main', 'Spring-Boot-Version: 4.0.6'), 'config/x.yml': '' }
    await using bench = await workbench({ buildpack, files })
    await bench.build(build, PLAN)
    assert.deepEqual(processOf(bench.table('launch.toml'), 'web')?.command, ['java', 'a.Main'])
    assert.ok(existsSync(join(bench.application, 'a/Main.class')))
    assert.ok(existsSync(join(bench.application, 'config/x.yml')))
    assert.ok(!existsSync(join(bench.application, 'shop.jar')))
  })

  it('leaves that jar packed where a file of the app is in the way', async () => {
    const files = { 'shop.jar': jar('Main-Class: a.Main', 'Spring-Boot-Version: 4.0.6'), 'a/x.yml': '' }
    await using bench = await workbench({ buildpack, files })
    assert.match(await bench.build(build, PLAN), /WARNING: shop\.jar stays packed.*a of the app/)
    assert.match(String(processOf(bench.table('launch.toml'), 'web')?.command), /-jar/)
  })

  it('leaves all it was asked for to the next buildpack where nothing can be started, and says nothing', async () => {
    await using bench = await workbench({
      buildpack,
      files: { [MANIFEST]: manifest(), 'WEB-INF/web.xml': '' },
    })
    assert.equal(await bench.build(build, PLAN), '')
    assert.deepEqual(names({ provides: bench.table('build.toml')?.unmet }, 'provides'), PLAN)
    assert.equal(bench.table('launch.toml'), undefined)
  })

  it('warns of a jar that is none', async () => {
    await using bench = await workbench({ buildpack, files: { 'broken.jar': 'version https://git-lfs' } })
    assert.match(await bench.build(build, PLAN), /WARNING: broken\.jar cannot be read/)
  })
})
