import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseBuildpack } from '#cnb'
import type { Executor } from '#lifecycle'
import { type TemporaryDirectory, temporaryDirectory } from '#std'
import { readyExecutor } from '../../src/platform/executables/ready-executor.ts'
import { buildpackNames, bundleBuildpacks } from '../../tools/buildpacks.ts'

/** What some of the files that apps are known by hold. */
const TEXT: Readonly<Record<string, string>> = {
  'MANIFEST.MF': 'Main-Class: a.B\n',
  'package.json': '{"scripts":{"build":"true"},"dependencies":{"a":"1"}}',
  Procfile: 'web: run\n',
}

/** What slipway answers for a buildpack without starting it; undefined where it would start it. */
async function answerHere(outdir: string, name: string, app: string, env: Readonly<Record<string, string>>) {
  await using directory = await temporaryDirectory(tmpdir())
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const root = join(outdir, `slipway_${name}`, version)
  const file = join(root, 'buildpack.toml')
  const place = (path: string) => ({ host: path, inside: path })
  const platform = join(directory.path, 'platform')
  mkdirSync(join(platform, 'bindings'), { recursive: true })
  const plan = join(directory.path, 'plan')
  let output = ''
  let started = false
  const executor: Executor = {
    async run() {
      started = true
      return {}
    },
  }
  const { exitCode } = await readyExecutor(executor, outdir).run({
    phase: 'detect',
    buildpack: { descriptor: parseBuildpack(readFileSync(file, 'utf8'), file), root: place(root) },
    command: [join(root, 'bin/detect'), platform, plan],
    cwd: app,
    env,
    readable: [place(app), place(platform)],
    writable: [place(directory.path)],
    output: bytes => (output += Buffer.from(bytes)),
  })
  return started
    ? undefined
    : { status: exitCode, output, plan: existsSync(plan) && readFileSync(plan, 'utf8') }
}

/** Our buildpacks, held against what is said of them without starting Node.js. */
describe('buildpacks whose answer is known', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  let bundled: TemporaryDirectory
  let outdir: string
  before(async () => {
    bundled = await temporaryDirectory(tmpdir())
    outdir = join(bundled.path, 'buildpacks')
    await bundleBuildpacks(outdir)
  })
  after(() => bundled[Symbol.asyncDispose]())

  it('answer without Node.js only what they answer with it', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const platform = join(directory.path, 'platform')
    await mkdir(join(platform, 'bindings'), { recursive: true })
    const apps = [
      [],
      ['pom.xml'],
      ['pom.xml', 'META-INF/MANIFEST.MF'],
      ['go.work'],
      ['a.jar', 'b.war'],
      ['WEB-INF/web.xml'],
      ['app/bin/start', 'app/lib/a.jar'],
      ['app.tar'],
      ['server.js', 'Procfile'],
      ['package.json'],
    ]
    const plan = join(directory.path, 'plan')
    const detect = (app: string, command: readonly string[], environment: NodeJS.ProcessEnv) => {
      rmSync(plan, { force: true })
      const [program = '', ...words] = [...command, platform, plan]
      const { status, stdout, stderr } = spawnSync(program, words, {
        cwd: app,
        env: environment,
        encoding: 'utf8',
      })
      return { status, stdout, stderr, plan: existsSync(plan) && readFileSync(plan, 'utf8') }
    }
    for (const [index, files] of apps.entries()) {
      const app = join(directory.path, `app-${index}`)
      mkdirSync(app)
      for (const file of files) {
        mkdirSync(dirname(join(app, file)), { recursive: true })
        writeFileSync(join(app, file), TEXT[basename(file)] ?? '')
      }
      for (const name of await buildpackNames()) {
        const place = join(outdir, `slipway_${name}`, version)
        const environment = { PATH: process.env.PATH, CNB_BUILDPACK_DIR: place }
        const asked = detect(app, ['node', join(place, 'main.cjs'), 'detect'], environment)
        assert.deepEqual(detect(app, [join(place, 'bin/detect')], environment), asked, `${name}: ${files}`)
        const told = await answerHere(outdir, name, app, {})
        if (told)
          assert.deepEqual(told, { status: asked.status, output: asked.stdout, plan: asked.plan }, name)
      }
    }
    // What the script answers slipway answers without starting it; where a link or a variable could make a difference, it starts it.
    assert.equal((await answerHere(outdir, 'maven', join(directory.path, 'app-1'), {}))?.status, 0)
    assert.equal((await answerHere(outdir, 'go', join(directory.path, 'app-3'), {}))?.status, 0)
    assert.equal(await answerHere(outdir, 'apache-tomcat', join(directory.path, 'app-4'), {}), undefined)
    assert.equal(await answerHere(outdir, 'dist-zip', join(directory.path, 'app-6'), {}), undefined)
    assert.equal(
      await answerHere(outdir, 'maven', join(directory.path, 'app-1'), { BP_MAVEN_POM_FILE: 'x' }),
      undefined,
    )
    const links = join(directory.path, 'links')
    mkdirSync(links)
    for (const name of ['pom.xml', 'META-INF', 'any']) symlinkSync('/nowhere', join(links, name))
    for (const name of ['maven', 'executable-jar', 'dist-zip'])
      assert.equal(await answerHere(outdir, name, links, {}), undefined, name)
    // Where there is something that could make a difference, Node.js is asked.
    const empty = join(directory.path, 'app-0')
    const answer = (name: string, environment: NodeJS.ProcessEnv) => {
      const place = join(outdir, `slipway_${name}`, version)
      return detect(empty, [join(place, 'bin/detect')], {
        ...{ PATH: process.env.PATH, CNB_BUILDPACK_DIR: place },
        ...environment,
      }).plan
    }
    assert.match(answer('procfile', { BP_PROCFILE_DEFAULT_PROCESS: 'run' }) || '', /run/)
    mkdirSync(join(platform, 'bindings/file'))
    writeFileSync(join(platform, 'bindings/file/type'), 'Procfile')
    writeFileSync(join(platform, 'bindings/file/Procfile'), 'web: bound\n')
    assert.match(answer('procfile', {}) || '', /bound/)
    assert.equal(answer('procfile', { SERVICE_BINDING_ROOT: empty }), false)
    assert.match(answer('ca-certificates', { BP_ENABLE_RUNTIME_CERT_BINDING: 'true' }) || '', /helper/)
  })

  it('do nothing, and start no Node.js, where they say so of builds of which nothing is asked', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const app = join(directory.path, 'app')
    mkdirSync(join(app, 'META-INF'), { recursive: true })
    writeFileSync(join(app, 'META-INF/MANIFEST.MF'), 'Main-Class: a.B\n')
    const plan = join(directory.path, 'plan')
    writeFileSync(plan, '')
    const idle: string[] = []
    for (const name of await buildpackNames()) {
      const root = join(outdir, `slipway_${name}`, version)
      const build = (command: readonly string[], PATH: string | undefined) => {
        const layers = join(directory.path, 'layers')
        rmSync(layers, { recursive: true, force: true })
        mkdirSync(layers)
        const [program = '', ...words] = [...command, layers, directory.path, plan]
        const env = { PATH, CNB_BUILDPACK_DIR: root, CNB_TARGET_ARCH: 'amd64' }
        const { status, stdout, stderr } = spawnSync(program, words, { cwd: app, env, encoding: 'utf8' })
        return { status, stdout, stderr, left: readdirSync(layers) }
      }
      if (!(await readFile(join(root, 'bin/build'), 'utf8')).includes('! -s')) continue
      idle.push(name)
      const nothing = { status: 0, stdout: '', stderr: '', left: [] }
      assert.deepEqual(build(['node', join(root, 'main.cjs'), 'build'], process.env.PATH), nothing, name)
      assert.deepEqual(build([join(root, 'bin/build')], '/nowhere'), nothing, name)
    }
    assert.deepEqual(idle, ['apache-tomcat', 'dist-zip', 'executable-jar'])
  })

  it('build the same when they were started before they were called, with other words and variables', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const at = (name: string) => join(directory.path, name)
    const root = join(outdir, 'slipway_procfile', version)
    const build = (
      layers: string,
      program: readonly string[],
      env: Record<string, string>,
      input?: string,
    ) => {
      for (const each of [layers, 'app', 'platform']) mkdirSync(at(each), { recursive: true })
      writeFileSync(at('plan'), '[[entries]]\nname = "procfile"\n[entries.metadata]\nweb = "serve all"\n')
      const [, ...words] = program
      const { status, stdout, stderr } = spawnSync(program[0] ?? '', words, {
        cwd: at('app'),
        env: { PATH: process.env.PATH, ...env },
        encoding: 'utf8',
        ...(input !== undefined && { input }),
      })
      const files = readdirSync(at(layers)).toSorted()
      return { status, stdout, stderr, files, launch: readFileSync(join(at(layers), 'launch.toml'), 'utf8') }
    }
    const words = (layers: string) => [at(layers), at('platform'), at('plan')]
    const environment = { CNB_BUILDPACK_DIR: root, BP_DIRECT_PROCESS: 'true' }
    const direct = build('one', [join(root, 'bin/build'), ...words('one')], environment)
    assert.equal(direct.status, 0, direct.stderr)
    assert.match(direct.launch, /"serve", "all"/)
    const call = {
      words: ['build', ...words('two')],
      environment: { PATH: process.env.PATH, ...environment },
    }
    mkdirSync(at('likely'))
    const later = build(
      'two',
      ['node', join(root, 'main.cjs'), 'called-later', 'build', ...words('likely')],
      { CNB_BUILDPACK_DIR: root, LEFT: 'behind' },
      JSON.stringify(call),
    )
    assert.deepEqual(later, direct)
    assert.deepEqual(readdirSync(at('likely')), [])
  })
})
