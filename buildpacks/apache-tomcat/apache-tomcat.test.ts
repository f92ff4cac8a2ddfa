import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { manifest, names, processOf, workbench, zipOf } from '../workbench.testing.ts'
import { contextName } from './applications.ts'
import { build } from './build.ts'
import { contextXml } from './configuration.ts'
import { detect } from './detect.ts'

const buildpack = 'apache-tomcat'
const PLAN = ['jvm-application', 'jvm-application-package', 'java-app-server']
const CONTEXTS = 'catalina-base/conf/Catalina/localhost'
const dependencies = {
  tomcat: { version: '10.1.59', files: { 'conf/web.xml': '<web-app/>', 'bin/bootstrap.jar': '' } },
}
const war = { 'WEB-INF/web.xml': '<web-app/>' }

describe('apache-tomcat', () => {
  it('provides the package where the WAR file is there, unpacked or not', async () => {
    for (const files of [war, { 'shop.war': zipOf(war) }]) {
      await using bench = await workbench({ buildpack, files })
      const plan = await bench.detect(detect)
      assert.deepEqual(names(plan, 'provides'), [
        'jvm-application',
        'java-app-server',
        'jvm-application-package',
      ])
    }
  })

  it('leaves the package to others where there is only source, or a main class', async () => {
    for (const files of [
      { 'pom.xml': '' },
      { ...war, 'META-INF/MANIFEST.MF': manifest('Main-Class: a.B') },
    ]) {
      await using bench = await workbench({ buildpack, files })
      assert.deepEqual(names(await bench.detect(detect), 'provides'), ['jvm-application', 'java-app-server'])
    }
  })

  it('stays out where another server is asked for', async () => {
    await using bench = await workbench({
      buildpack,
      files: war,
      environment: { BP_JAVA_APP_SERVER: 'liberty' },
    })
    assert.equal(await bench.detect(detect), undefined)
  })

  it('starts Tomcat without a shell, beside a configuration that serves the app', async () => {
    await using bench = await workbench({ buildpack, files: war, dependencies })
    assert.match(await bench.build(build, PLAN), /Serving the application at \/\n/)
    const base = join(bench.layers, 'catalina-base')
    const { command } = processOf(bench.table('launch.toml'), 'web') ?? {}
    assert.deepEqual(command, ['java', `@${base}/conf/start.options`])
    const options = bench.file('catalina-base/conf/start.options').trim().split('\n')
    assert.ok(options.includes(`"-Dcatalina.home=${bench.layers}/tomcat"`))
    assert.ok(options.includes(`"-Dcatalina.base=${base}"`))
    assert.equal(bench.file(`${CONTEXTS}/ROOT.xml`), contextXml(bench.application))
    assert.equal(bench.file('catalina-base/conf/web.xml'), '<web-app/>')
    assert.match(bench.file('catalina-base/conf/server.xml'), /port="\$\{PORT:-8080\}"/)
    assert.equal(bench.file('tomcat/env.launch/CATALINA_HOME.default'), join(bench.layers, 'tomcat'))
    assert.match(bench.file('tomcat.sbom.cdx.json'), /tomcat@10\.1\.59/)
  })

  it('serves the app at the path that is asked for', async () => {
    const environment = { BP_TOMCAT_CONTEXT_PATH: '/shop/admin/' }
    await using bench = await workbench({ buildpack, files: war, dependencies, environment })
    assert.match(await bench.build(build, PLAN), /at \/shop\/admin\n/)
    assert.ok(existsSync(join(bench.layers, CONTEXTS, 'shop#admin.xml')))
  })

  it('unpacks WAR files, a single one at the root, several at their names', async () => {
    await using bench = await workbench({ buildpack, files: { 'shop-1.war': zipOf(war) }, dependencies })
    await bench.build(build, PLAN)
    assert.equal(bench.file(`${CONTEXTS}/ROOT.xml`), contextXml(join(bench.application, 'shop-1')))
    assert.ok(existsSync(join(bench.application, 'shop-1/WEB-INF/web.xml')))
    assert.ok(!existsSync(join(bench.application, 'shop-1.war')))

    const files = { 'a.war': zipOf(war), 'b.war': zipOf(war) }
    await using two = await workbench({ buildpack, files, dependencies })
    assert.match(await two.build(build, PLAN), /Serving a at \/a\n.*Serving b at \/b\n/s)
  })

  it('leaves all it was asked for to the next buildpack where there is no web application', async () => {
    await using bench = await workbench({ buildpack, files: { 'bin/run': '' } })
    assert.equal(await bench.build(build, PLAN), '')
    assert.deepEqual(names({ provides: bench.table('build.toml')?.unmet }, 'provides'), PLAN)
  })

  it('does nothing where another buildpack has taken care of the application', async () => {
    await using bench = await workbench({ buildpack, files: war })
    assert.equal(await bench.build(build, ['java-app-server']), '')
    assert.equal(bench.table('launch.toml'), undefined)
  })

  it('lists the libraries of the application', async () => {
    const properties = 'groupId=org.example\nartifactId=cart\nversion=3.1\n'
    const cart = zipOf({ 'META-INF/maven/org.example/cart/pom.properties': properties })
    await using bench = await workbench({
      buildpack,
      files: { ...war, 'WEB-INF/lib/cart.jar': cart },
      dependencies,
    })
    await bench.build(build, PLAN)
    assert.match(bench.file('launch.sbom.cdx.json'), /pkg:maven\/org\.example\/cart@3\.1/)
  })
})

describe('contextName', () => {
  for (const [path, name] of [
    ['', 'ROOT'],
    ['/', 'ROOT'],
    ['ROOT', 'ROOT'],
    ['/a/b', 'a#b'],
  ] as const)
    it(`of ${path || 'nothing'} is ${name}`, () => assert.equal(contextName(path), name))

  for (const path of ['a b', '../x"', 'ü'])
    it(`refuses ${path}`, () => assert.throws(() => contextName(path), { code: 'CONFIGURATION_INVALID' }))
})
