import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { names, type Workbench, type WorkbenchOptions, workbench, writeTree } from '../workbench.testing.ts'
import { mavenArguments } from './arguments.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'

/** A jar with the main class `a.Main`, and one without. */
const JAR = Buffer.from(
  'UEsDBBQAAAAAAAAAIQCso1YeKwAAACsAAAAUAAAATUVUQS1JTkYvTUFOSUZFU1QuTUZNYW5pZmVzdC1WZXJzaW9uOiAxLjANCk1haW4tQ2xhc3M6IGEuTWFpbg0KUEsDBBQAAAAAAAAAIQCfGUvtBQAAAAUAAAAMAAAAYS9NYWluLmNsYXNzY2xhc3NQSwECFAMUAAAAAAAAACEArKNWHisAAAArAAAAFAAAAAAAAAAAAAAApIEAAAAATUVUQS1JTkYvTUFOSUZFU1QuTUZQSwECFAMUAAAAAAAAACEAnxlL7QUAAAAFAAAADAAAAAAAAAAAAAAApIFdAAAAYS9NYWluLmNsYXNzUEsFBgAAAAACAAIAfAAAAIwAAAAAAA==',
  'base64',
)
const PLAIN = Buffer.from(
  'UEsDBBQAAAAAAAAAIQCpUmbNFwAAABcAAAAUAAAATUVUQS1JTkYvTUFOSUZFU1QuTUZNYW5pZmVzdC1WZXJzaW9uOiAxLjANClBLAQIUAxQAAAAAAAAAIQCpUmbNFwAAABcAAAAUAAAAAAAAAAAAAACkgQAAAABNRVRBLUlORi9NQU5JRkVTVC5NRlBLBQYAAAAAAQABAEIAAABJAAAAAAA=',
  'base64',
)

/** The app's own wrapper is whatever the app says; this one copies what lies in `built`, and notes that it ran. */
const WRAPPER = [
  '#!/bin/sh',
  'echo "running $*"',
  'mkdir -p target && cp built/* target/',
  'echo "$MAVEN_USER_HOME" >> ../notes',
  '',
].join('\r\n')

const both = ['maven', 'jvm-application-package']
const opened = (files: WorkbenchOptions['files'], options: Partial<WorkbenchOptions> = {}) =>
  workbench({ buildpack: 'maven', files: { 'pom.xml': '<project/>', ...files }, ...options })

const environment = { PATH: '/usr/bin:/bin' }

/** How often the wrapper ran. */
function runs({ application }: Workbench): number {
  const file = join(application, '../notes')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0
}

describe('maven', () => {
  it('takes part where there is a pom.xml, and not where there is a built app', async () => {
    await using source = await opened({})
    const plan = await source.detect(detect)
    assert.deepEqual(names(plan, 'provides'), ['jvm-application-package', 'maven'])
    assert.deepEqual(names(plan, 'requires'), ['jdk', 'maven'])
    await using built = await opened({ 'META-INF/MANIFEST.MF': '' })
    assert.equal(await built.detect(detect), undefined)
    await using other = await opened({}, { environment: { BP_MAVEN_POM_FILE: 'api/pom.xml' } })
    assert.equal(await other.detect(detect), undefined)
  })

  it('runs the wrapper of the app, not executable and with Windows line ends, and unpacks what it made', async () => {
    await using bench = await opened({ mvnw: WRAPPER, 'built/app.jar': JAR }, { environment })
    const output = await bench.build(build, both)
    assert.match(output, /Executing mvnw --batch-mode -Dmaven.test.skip=true --no-transfer-progress package/)
    assert.match(output, /running -Dmaven.repo.local=\S+layers\/repository\/repository --batch-mode/)
    assert.deepEqual(readdirSync(bench.application).sort(), ['META-INF', 'a'])
    assert.equal(readFileSync(join(bench.application, 'a/Main.class'), 'utf8'), 'class')
    assert.deepEqual(bench.table('application.toml')?.types, { launch: false, build: false, cache: true })
    assert.equal(runs(bench), 1)
  })

  it('has a JVM that is soon warm, unless the user says how it is to be', async () => {
    const given = async (files: WorkbenchOptions['files'], own: Record<string, string> = {}) => {
      await using bench = await opened(files, { environment: { ...environment, ...own } })
      await bench.build(build, both)
      return readFileSync(join(bench.application, '../options'), 'utf8').trim()
    }
    const files = { mvnw: `${WRAPPER}echo "$MAVEN_OPTS" > ../options\r\n`, 'built/app.jar': JAR }
    assert.equal(await given(files), '-XX:TieredStopAtLevel=1')
    assert.equal(await given(files, { MAVEN_OPTS: '-Xmx1g' }), '-Xmx1g')
    assert.equal(await given({ ...files, '.mvn/jvm.config': '-Xmx1g' }), '')
    await using java = await temporaryDirectory(tmpdir())
    const jvm = async (version: string) => {
      writeFileSync(join(java.path, 'release'), `JAVA_VERSION="${version}"\n`)
      return await given(files, { JAVA_HOME: java.path })
    }
    assert.equal(await jvm('17.0.15'), '-XX:TieredStopAtLevel=1')
    assert.match(
      await jvm('21.0.1'),
      /^-XX:TieredStopAtLevel=1 -XX:SharedArchiveFile=\S+layers\/repository\/maven\.jsa -XX:\+AutoCreateSharedArchive /,
    )
  })

  it('does not start Maven while nothing changed, whatever came of the app', async () => {
    const files = { mvnw: WRAPPER, 'built/app.jar': JAR, 'src/A.java': 'class A {}' }
    await using bench = await opened(files, { environment })
    await bench.build(build, both)
    const restore = (changed: Record<string, string> = {}) => {
      for (const [path, text] of Object.entries({ 'pom.xml': '<project/>', ...files, ...changed })) {
        writeTree(bench.application, { [path]: text })
      }
      for (const left of ['META-INF', 'a']) rmSync(join(bench.application, left), { recursive: true })
    }
    restore()
    assert.match(await bench.build(build, both), /Compiled Application: Reusing cached layer/)
    assert.equal(runs(bench), 1)
    assert.ok(existsSync(join(bench.application, 'a/Main.class')))
    restore({ 'src/A.java': 'class A { }' })
    assert.match(await bench.build(build, both), /Contributing to layer \(source changed\)/)
    assert.equal(runs(bench), 2)
  })

  it('takes the one artifact that can run, else all as files', async () => {
    await using one = await opened(
      { mvnw: WRAPPER, 'built/app.jar': JAR, 'built/original-app.jar': PLAIN },
      { environment },
    )
    assert.match(await one.build(build, both), /Restoring application artifact: app\.jar\n/)
    await using several = await opened(
      { mvnw: WRAPPER, 'built/a.jar': PLAIN, 'built/b.jar': PLAIN },
      { environment },
    )
    await several.build(build, both)
    assert.deepEqual(readdirSync(several.application).sort(), ['a.jar', 'b.jar'])
  })

  it('says what to set if nothing was built', async () => {
    await using bench = await opened({ mvnw: WRAPPER, 'built/app.txt': '' }, { environment })
    await assert.rejects(bench.build(build, both), {
      code: 'MAVEN_NO_ARTIFACT',
      fix: /BP_MAVEN_BUILT_MODULE/,
    })
  })

  it('keeps the source files that the user names', async () => {
    const files = {
      mvnw: WRAPPER,
      'built/app.jar': JAR,
      'conf/a.yml': '',
      'conf/b.yml': '',
      'src/A.java': '',
    }
    const kept = { BP_INCLUDE_FILES: 'conf', BP_EXCLUDE_FILES: '**/b.*' }
    await using bench = await opened(files, { environment: { ...environment, ...kept } })
    await bench.build(build, both)
    assert.deepEqual(readdirSync(bench.application).sort(), ['META-INF', 'a', 'conf'])
    assert.deepEqual(readdirSync(join(bench.application, 'conf')), ['a.yml'])
  })

  it('only brings Maven if nobody asks for a built app', async () => {
    const maven = { version: '3.9.16', files: { 'bin/mvn': '#!/bin/sh\n' } }
    await using bench = await opened({}, { dependencies: { maven } })
    await bench.build(build, ['maven'])
    assert.deepEqual(bench.table('maven.toml')?.types, { launch: false, build: true, cache: true })
    assert.ok(existsSync(join(bench.application, 'pom.xml')))
  })

  it('asks for the version that the user wants, and leaves the wrapper alone then', async () => {
    const script = '#!/bin/sh\necho "Maven of the platform"\nmkdir target\ncp built/* target/\n'
    const maven = { version: '3.8.9', files: { 'bin/mvn': script } }
    await using bench = await opened(
      { mvnw: WRAPPER, 'built/app.jar': JAR },
      { dependencies: { maven }, environment: { ...environment, BP_MAVEN_VERSION: '3.8' } },
    )
    await bench.build(context => {
      const dependency: typeof context.dependency = async request => {
        assert.deepEqual(request, { name: 'maven', version: '3.8' })
        const found = await context.dependency(request)
        chmodSync(join(found.root, 'bin/mvn'), 0o755)
        return found
      }
      return build({ ...context, dependency })
    }, both)
    assert.equal(runs(bench), 0)
  })
})

describe('arguments of Maven', () => {
  const words = async (files: WorkbenchOptions['files'], options: Partial<WorkbenchOptions> = {}) => {
    await using bench = await opened(files, options)
    let found: Awaited<ReturnType<typeof mavenArguments>> | undefined
    await bench.build(async context => {
      found = await mavenArguments(context)
    }, [])
    assert.ok(found)
    return found
  }
  const TIME = '-Dproject.build.outputTimestamp=1980-01-01T00:00:02Z'

  it('are those that skip tests, with a fixed time for archives', async () => {
    const { words: found } = await words({})
    assert.deepEqual(found, [
      '--batch-mode',
      '-Dmaven.test.skip=true',
      '--no-transfer-progress',
      'package',
      TIME,
    ])
  })

  it('follow the variables, profiles last', async () => {
    const environment = {
      BP_MAVEN_BUILD_ARGUMENTS: "-B verify -Da='b c'",
      BP_MAVEN_ADDITIONAL_BUILD_ARGUMENTS: '-X',
      BP_MAVEN_ACTIVE_PROFILES: 'p1,!p2',
      BP_MAVEN_POM_FILE: 'api/pom.xml',
      BP_MAVEN_SETTINGS_PATH: 'ci/settings.xml',
    }
    const { words: found } = await words({}, { environment })
    assert.deepEqual(found, [
      '--settings=ci/settings.xml',
      '--file',
      'api/pom.xml',
      '-B',
      'verify',
      '-Da=b c',
      '-X',
      '-P',
      'p1,!p2',
      TIME,
    ])
  })

  it('leave the time to a project that names one', async () => {
    const pom =
      '<project><properties><project.build.outputTimestamp>1</project.build.outputTimestamp></properties></project>'
    for (const files of [{ 'pom.xml': pom }, { '.mvn/maven.config': '-Dproject.build.outputTimestamp=1\n' }])
      assert.ok(!(await words(files)).words.includes(TIME))
  })

  it('point at the settings of a binding, and record no more of them than a digest', async () => {
    const secrets = { 'settings.xml': '<password>hunter2</password>', 'settings-security.xml': '<master/>' }
    const found = await words({}, { bindings: { m: { type: 'maven', ...secrets } } })
    assert.match(found.words[0] ?? '', /^--settings=.*\/bindings\/m\/settings\.xml$/)
    assert.match(found.words[1] ?? '', /^-Dsettings\.security=.*\/settings-security\.xml$/)
    assert.deepEqual(Object.keys(found.settings), ['settings-sha256', 'settings-security-sha256'])
    assert.ok(!JSON.stringify(found).includes('hunter2'))
  })
})
