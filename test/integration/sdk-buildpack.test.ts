import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inheritedEnvironment, parseBuildpack, parseLayer, parseOrder, printLayer } from '#cnb'
import { type BuildpackSource, build, detect, type Executor, type Place } from '#lifecycle'
import { recording } from '#std'
import { buildpackNames, orderOf, packageBuildpack } from '../../tools/buildpacks.ts'
import { freePort } from '../support/free-port.ts'

/**
 * Runs the packaged buildpacks as any lifecycle would: bin/detect and bin/build as plain processes of this machine, no sandbox, no platform that
 * serves dependencies. Java and Maven come through the resolver that each package carries, from the registries that this machine is
 * configured for.
 */
const root = mkdtempSync(join(tmpdir(), 'slipway-sdk-'))
const samples = join(import.meta.dirname, '../../samples')
const VERSION = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version
const target = {
  os: 'linux',
  arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
  distro: { name: 'debian', version: '12' },
}
const launcher = join(root, 'launcher')
const started: ChildProcess[] = []

const hasGo = (() => {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const skip = hasGo ? false : 'go is not here, so there is no launcher to put into the packages'

before(async () => {
  if (skip) return
  const go = ['build', '-trimpath', '-ldflags', '-s -w', '-o', launcher, '.']
  execFileSync('go', go, {
    cwd: join(import.meta.dirname, '../../launcher'),
    env: { ...process.env, CGO_ENABLED: '0' },
  })
  for (const name of await buildpackNames()) {
    await packageBuildpack(name, join(root, 'buildpacks', `slipway_${name}`, VERSION), {
      launchers: { [target.arch]: launcher },
    })
  }
})

after(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

const buildpacks: BuildpackSource = {
  async find(id, version) {
    const host = join(root, 'buildpacks', id.replace('/', '_'), version)
    const file = join(host, 'buildpack.toml')
    if (!existsSync(file)) return undefined
    return { descriptor: parseBuildpack(readFileSync(file, 'utf8'), file), root: { host, inside: host } }
  },
}

const executor: Executor = {
  run({ command: [program = '', ...words], cwd, env, output }) {
    const child = spawn(program, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', output)
    child.stderr.on('data', output)
    return new Promise((done, failed) => {
      child.on('error', failed)
      child.on('close', exitCode => done(exitCode === null ? { why: 'was killed' } : { exitCode }))
    })
  },
}

interface Built {
  readonly group: readonly string[]
  readonly output: string
  readonly app: string
  readonly layers: string
}

/** Builds a sample in a fresh directory; layers that `before` left come back as a lifecycle restores them. */
async function buildSample(
  sample: string,
  variables: Record<string, string> = {},
  before?: Built,
): Promise<Built> {
  const directory = mkdtempSync(join(root, 'build-'))
  const place = (name: string): Place => ({ host: join(directory, name), inside: join(directory, name) })
  // Layers may hold their own path, so that it is the same for every build, as it is in a container.
  const layersPath = join(root, 'layers')
  const layers: Place = { host: layersPath, inside: layersPath }
  const appPath = join(root, 'workspace')
  rmSync(appPath, { recursive: true, force: true })
  rmSync(layersPath, { recursive: true, force: true })
  cpSync(join(samples, sample), appPath, { recursive: true })
  mkdirSync(layersPath)
  if (before) restore(before.layers, layersPath)
  const places = {
    app: { host: appPath, inside: appPath },
    layers,
    platform: place('platform'),
    scratch: place('scratch'),
  }
  mkdirSync(join(places.platform.host, 'env'), { recursive: true })
  for (const [name, value] of Object.entries({ BP_JVM_VERSION: '17', ...variables }))
    writeFileSync(join(places.platform.host, 'env', name), value)
  const report = recording()
  const common = {
    report,
    places,
    executor,
    buildpacks,
    target,
    environment: inheritedEnvironment(process.env),
  }
  const { order } = parseOrder(orderOf(VERSION, await buildpackNames()), 'order.toml')
  const { group, plan } = await detect({ ...common, order })
  try {
    await build({ ...common, group, plan })
  } catch (error) {
    throw new Error(report.lines.join('\n'), { cause: error })
  }
  const kept = { app: join(directory, 'app'), layers: join(directory, 'layers') }
  cpSync(appPath, kept.app, { recursive: true, verbatimSymlinks: true })
  renameSync(layersPath, kept.layers)
  return { group: group.buildpacks.map(({ id }) => id), output: report.lines.join('\n'), ...kept }
}

/** What a lifecycle brings back: records of layers of the image, and data of cached ones. */
function restore(from: string, to: string): void {
  for (const buildpack of readdirSync(from).filter(name => name.startsWith('slipway_'))) {
    mkdirSync(join(to, buildpack))
    for (const file of readdirSync(join(from, buildpack)).filter(name => name.endsWith('.toml'))) {
      if (['launch.toml', 'build.toml', 'store.toml'].includes(file)) continue
      const { types, metadata } = parseLayer(readFileSync(join(from, buildpack, file), 'utf8'), file)
      const text = printLayer({
        types: { launch: false, build: false, cache: false },
        ...(metadata && { metadata }),
      })
      if (types.cache || (types.launch && !types.build)) writeFileSync(join(to, buildpack, file), text)
      const layer = file.replace(/\.toml$/, '')
      if (types.cache)
        cpSync(join(from, buildpack, layer), join(to, buildpack, layer), {
          recursive: true,
          verbatimSymlinks: true,
        })
    }
  }
}

/** One digest for a tree: paths, modes, contents, where links lead. */
function treeDigest(directory: string): string {
  const hash = createHash('sha256')
  const walk = (path: string) => {
    for (const name of readdirSync(join(directory, path)).sort()) {
      const inner = join(path, name)
      const stats = lstatSync(join(directory, inner))
      hash.update(`${inner} ${(stats.mode & 0o7777).toString(8)} `)
      if (stats.isDirectory()) walk(inner)
      else if (stats.isSymbolicLink()) hash.update(readlinkSync(join(directory, inner)))
      else
        hash.update(
          createHash('sha256')
            .update(readFileSync(join(directory, inner)))
            .digest(),
        )
    }
  }
  walk('.')
  return hash.digest('hex')
}

/** The layers that go into the image, by name. */
function imageLayers(layers: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const buildpack of readdirSync(layers)
    .filter(name => name.startsWith('slipway_'))
    .sort()) {
    for (const file of readdirSync(join(layers, buildpack))
      .filter(name => name.endsWith('.toml'))
      .sort()) {
      const directory = join(layers, buildpack, file.replace(/\.toml$/, ''))
      const { types } = parseLayer(readFileSync(join(layers, buildpack, file), 'utf8'), file)
      if (types.launch && existsSync(directory)) found[`${buildpack}/${file}`] = treeDigest(directory)
    }
  }
  return found
}

describe('packaged buildpacks under another lifecycle', { skip }, () => {
  let first: Built

  it('build an app from source, with Java and Maven that they fetch themselves', async () => {
    first = await buildSample('java/executable-jar')
    for (const name of ['jdk', 'maven', 'executable-jar']) assert.ok(first.group.includes(`slipway/${name}`))
    assert.match(first.output, /Executing mvn .*package/)
    assert.ok(existsSync(join(first.app, 'samples/counter/Counter.class')))
    assert.ok(!existsSync(join(first.app, 'pom.xml')))
  })

  it('start Maven no second time while nothing changed, and leave the same app', async () => {
    const second = await buildSample('java/executable-jar', {}, first)
    assert.match(second.output, /Compiled Application: Reusing cached layer/)
    assert.doesNotMatch(second.output, /Executing mvn/)
    assert.doesNotMatch(second.output, /Contributing to layer/)
    assert.equal(treeDigest(second.app), treeDigest(first.app))
  })

  it('give the same app and layers when everything is made anew', async () => {
    const before = imageLayers(first.layers)
    // A layer without its record is made anew; only what was fetched stays.
    for (const buildpack of readdirSync(first.layers).filter(name => name.startsWith('slipway_')))
      for (const file of readdirSync(join(first.layers, buildpack)).filter(name => name.endsWith('.toml')))
        if (file !== 'dependencies.toml' && file !== 'repository.toml')
          rmSync(join(first.layers, buildpack, file))
    const third = await buildSample('java/executable-jar', { TZ: 'Asia/Tokyo', LC_ALL: 'C' }, first)
    assert.match(third.output, /Executing mvn/)
    assert.equal(treeDigest(third.app), treeDigest(first.app))
    assert.deepEqual(imageLayers(third.layers), before)
    renameSync(third.layers, join(root, 'layers'))
    rmSync(join(root, 'workspace'), { recursive: true, force: true })
    renameSync(third.app, join(root, 'workspace'))
  })

  it('leave what the launcher starts: the app answers', async () => {
    const port = await freePort()
    mkdirSync(join(root, 'process'), { recursive: true })
    symlinkSync(launcher, join(root, 'process', 'web'))
    const child = spawn(join(root, 'process', 'web'), [], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/bin:/bin',
        CNB_PLATFORM_API: '0.14',
        CNB_LAYERS_DIR: join(root, 'layers'),
        CNB_APP_DIR: join(root, 'workspace'),
        PORT: String(port),
        BPL_JVM_THREAD_COUNT: '50',
      },
    })
    started.push(child)
    let output = ''
    const answered = new Promise<string>((done, failed) => {
      const read = (chunk: Buffer) => {
        output += chunk
        if (!/Counting on port/.test(output)) return
        fetch(`http://127.0.0.1:${port}/`).then(answer => done(answer.text()), failed)
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.on('close', code => failed(new Error(`ended with ${code}\n${output}`)))
    })
    assert.match(await answered, /^Visit 1$/m)
    assert.match(output, /Calculated JVM Memory Configuration/)
    child.kill('SIGTERM')
    await new Promise(done => child.once('close', done))
  })

  it('cut a runtime with jlink, and keep the app as it is', async () => {
    const { output, layers, app } = await buildSample(
      'java/executable-jar',
      { BP_JVM_JLINK_ENABLED: 'true' },
      first,
    )
    assert.match(output, /Executing jlink/)
    assert.ok(existsSync(join(app, 'samples/counter/Counter.class')))
    const jre = join(layers, 'slipway_jdk/jre')
    assert.match(
      execFileSync(join(jre, 'bin/java'), ['--list-modules'], { encoding: 'utf8' }),
      /^java\.base@17/m,
    )
    assert.ok(!existsSync(join(jre, 'bin/javac')))
  })

  it('build a Go module with the Go that they fetch themselves', async () => {
    const built = await buildSample('go/modules')
    assert.ok(built.group.includes('slipway/go'))
    assert.match(built.output, /Using Go 1\.26\.\d+ \(1\.26 by go\.mod\)/)
    assert.deepEqual(readdirSync(built.app), [])
    const programs = join(built.layers, 'slipway_go/targets/bin')
    assert.deepEqual(readdirSync(programs), ['ferry'])
    assert.equal(statSync(join(programs, 'ferry')).mode & 0o777, 0o755)
    const bill = readFileSync(join(built.layers, 'sbom/launch/slipway_go/targets/sbom.cdx.json'), 'utf8')
    assert.match(bill, /pkg:golang\/github\.com\/google\/uuid@v1\.6\.0/)
  })

  it('give a Procfile its processes without Java', async () => {
    const { group, layers } = await buildSample('shell/procfile')
    assert.ok(group.includes('slipway/procfile'))
    assert.ok(!group.includes('slipway/jdk'))
    assert.match(readFileSync(join(layers, 'config/metadata.toml'), 'utf8'), /type = "\w+"/)
  })
})
