import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { checkout, type Story, story } from '../support/cli.ts'
import { collected, serve } from '../support/serve.ts'

/** Every sample is built by an ordinary user with the command line, run, asked something, and looked at. */
describe('samples', () => {
  it('java/maven: a Spring Boot application, cut into slices, with its health, its labels and a binding for Maven', async () => {
    using place = story()
    const path = copied(place, 'java/maven')
    // Other words for Maven each time: what an earlier run of this story left would else be used again.
    const again = `BP_MAVEN_ADDITIONAL_BUILD_ARGUMENTS=-Dstory=${randomUUID()}`
    const words = ['--binding', 'java/maven/bindings/maven', '--env', again]
    const built = await build(place, 'samples/greeting', path, ...words)
    assert.match(built, /Executing mvn .*--settings=\S+\/maven\/settings\.xml/)
    assert.match(built, /Reactive web application: 50 threads/)

    const { layers, processes } = await inspect(place, 'samples/greeting')
    assert.ok(layers.some(({ name }) => name === 'slipway/spring-boot:spring-cloud-bindings'))
    assert.ok(layers.filter(({ kind }) => kind === 'app').length >= 4)
    assert.deepEqual(processes[0], {
      type: 'web',
      shell: '',
      command: 'java',
      args: ['org.springframework.boot.loader.launch.JarLauncher'],
      default: true,
      'working-dir': '/workspace',
    })
    const labels = await labelsOf(place, 'samples/greeting')
    assert.equal(labels['org.springframework.boot.version'], '4.0.6')
    assert.equal(labels['org.opencontainers.image.title'], 'greeting')
    assert.equal(labels['org.opencontainers.image.version'], '1.0.0')

    await using app = await serve(place, 'samples/greeting', '-e', 'GREETING_WORD=Ahoy')
    assert.deepEqual(JSON.parse(await app.get('/?name=Ada')), { greeting: 'Ahoy, Ada!', java: 21 })
    assert.equal(JSON.parse(await app.get('/actuator/health')).status, 'UP')
    assert.match(app.log(), /Spring Cloud Bindings Enabled/)
    assert.match(app.log(), /Calculated JVM Memory Configuration: .*Thread Count: 50/)
  })

  it('java/executable-jar: a jar without a framework, which is not built again while nothing changed', async () => {
    using place = story()
    const path = copied(place, 'java/executable-jar')
    await build(place, 'samples/counter', path)
    const first = await inspect(place, 'samples/counter')
    assert.equal(first.processes[0]?.args[0], 'samples.counter.Counter')
    const again = await build(place, 'samples/counter', path)
    assert.match(again, /Compiled Application: Reusing cached layer|Nothing changed/)
    assert.equal((await inspect(place, 'samples/counter')).digest, first.digest)

    await using app = await serve(place, 'samples/counter')
    const visits = [await app.get('/'), await app.get('/')].map(text =>
      Number(/^Visit (\d+)$/m.exec(text)?.[1]),
    )
    assert.equal(visits[1], (visits[0] as number) + 1)
  })

  it('java/war: a servlet on Tomcat, which is a layer of its own and started without a shell', async () => {
    using place = story()
    await build(place, 'samples/harbour', copied(place, 'java/war'))
    const { layers, processes } = await inspect(place, 'samples/harbour')
    assert.ok(layers.some(({ name }) => name === 'slipway/apache-tomcat:tomcat'))
    assert.deepEqual(
      processes.map(({ type }) => type),
      ['web', 'task', 'tomcat'],
    )
    assert.equal(processes[0]?.command, 'java')

    await using app = await serve(place, 'samples/harbour')
    assert.match(await app.get('/berths'), /^Apache Tomcat\/10\.1\.\d+\nArgo\nBeagle\nFram\n$/)
    assert.match(await app.get('/'), /<h1>Harbour<\/h1>/)
  })

  it('java/dist-zip: a start script and its libraries', async () => {
    using place = story()
    await build(place, 'samples/logbook', copied(place, 'java/dist-zip'))
    const { processes } = await inspect(place, 'samples/logbook')
    assert.equal(processes[0]?.command, '/workspace/logbook-1.0.0/bin/logbook')

    await using app = await serve(place, 'samples/logbook')
    assert.match(await app.get('/'), /<li><strong>06:00<\/strong> Cast off/)
  })

  it('shell/procfile: three processes, of which one goes on until it is told to stop', async () => {
    using place = story()
    const path = copied(place, 'shell/procfile')
    await build(place, 'samples/watch', path)
    const { processes } = await inspect(place, 'samples/watch')
    assert.deepEqual(
      processes.map(each => [each.type, each.default]),
      [
        ['worker', true],
        ['hash', false],
        ['once', false],
      ],
    )

    const once = await place.slipway(['run', 'samples/watch', '--process', 'once', '-e', 'SHIP=Argo'])
    assert.equal(once.code, 0, once.stderr)
    assert.match(
      once.stdout,
      /^Argo is on watch, on Debian GNU\/Linux .*\nLine 1: load .*\nThe watch ends; lines written: 1\.\n$/,
    )
    const hash = await place.slipway(['run', 'samples/watch', '--process', 'hash'])
    const digest = createHash('sha256')
      .update(readFileSync(join(path, 'Procfile')))
      .digest('hex')
    assert.ok(hash.stdout.includes(`${digest}  Procfile\n`), hash.stdout)

    const worker = place.start(['run', 'samples/watch', '-e', 'INTERVAL=1'])
    const output = collected(worker)
    while (worker.exitCode === null && !/Line 2/.test(output())) await pause(100)
    worker.kill('SIGTERM')
    await new Promise(done => worker.once('close', done))
    assert.match(output(), /The watch ends/)
    assert.equal(worker.exitCode, 0, output())
  })

  it('go/static: one program on a base without libc and shell', async t => {
    using place = story()
    const path = copied(place, 'go/static')
    const environment = { ...process.env, CGO_ENABLED: '0' }
    const go = spawnSync('go', ['build', '-trimpath', '-o', 'lighthouse', '.'], {
      cwd: path,
      env: environment,
    })
    if (go.error) return t.skip('there is no go on this machine to build the program with')
    assert.equal(go.status, 0, String(go.stderr))
    place.own('go')
    // As what it is by now, not as source of Go.
    const words = ['--buildpack', 'slipway/procfile', '--run-image', 'slipway/run:static']
    await build(place, 'samples/lighthouse', path, ...words)
    const { layers } = await inspect(place, 'samples/lighthouse')
    assert.ok(
      !layers.some(({ kind }) => kind === 'launcher'),
      'a program that is started directly needs no launcher',
    )

    await using app = await serve(place, 'samples/lighthouse', '-e', 'TZ=Europe/Lisbon')
    assert.match(await app.get('/'), /^Light seen at \d\d:\d\d WES?T, kept by cnb\n$/)
  })
})

/** A copy of a sample that belongs to the story's user. */
function copied(place: Story, sample: string): string {
  const path = join(place.directory, sample)
  cpSync(join(checkout, 'samples', sample), path, { recursive: true })
  place.own(sample.split('/')[0] as string)
  return path
}

/** Builds, and returns everything that was said. */
async function build(place: Story, name: string, path: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await place.slipway(['build', name, '--path', path, ...words])
  assert.equal(code, 0, `${stdout}\n${stderr}`)
  assert.match(stdout.trim(), /^sha256:[0-9a-f]{64}$/)
  return stderr
}

interface Inspection {
  readonly digest: string
  readonly layers: readonly { readonly kind: string; readonly name?: string }[]
  readonly processes: readonly {
    readonly type: string
    readonly command: string
    readonly args: readonly string[]
    readonly default: boolean
  }[]
}

async function inspect(place: Story, name: string): Promise<Inspection> {
  const { code, stdout, stderr } = await place.slipway(['inspect', name, '--json'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout).local_info
}

/** The labels of an image, read from a copy that any tool could read. */
async function labelsOf(place: Story, name: string): Promise<Record<string, string>> {
  const { code, stderr } = await place.slipway(['copy', name, 'oci:copy'])
  assert.equal(code, 0, stderr)
  const read = (path: string) => JSON.parse(readFileSync(join(place.directory, 'copy', path), 'utf8'))
  const blob = ({ digest }: { digest: string }) => read(`blobs/${digest.replace(':', '/')}`)
  return blob(blob(read('index.json').manifests[0]).config).config.Labels
}
