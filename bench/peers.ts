import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Ground, openGround } from '../test/interop/ground.ts'
import { debianPackages } from '../test/support/debian.ts'
import { changeClass, changeLibrary, writeFixed } from './support/fixed.ts'
import { countingDoor, HEAD, type Row, type Run, type RunOptions, run, table } from './support/measure.ts'

/**
 * slipway beside its peers: the same input for everyone, the same registry on loopback, rounds in turn so that what else the machine does meets all alike.
 * Who is not on this machine is said to be so. `npm run bench peers [RUNS] [pack|jib|ko|buildah|rebase|start …]`; prints the table of bench/README.md.
 */
const runs = Number(process.argv[2] ?? 5)
const wanted = process.argv.slice(3)
const place = mkdtempSync(join(tmpdir(), 'slipway-peers-'))
const program = resolve(import.meta.dirname, '../slipway')
const samples = resolve(import.meta.dirname, '../samples')
const slipway = (words: readonly string[], options: RunOptions = {}) =>
  run([program, ...words], { ...options, env: { SLIPWAY_HOME: join(place, 'state'), ...options.env } })

/** One of those who are compared. */
interface Peer {
  readonly who: string
  run(): Promise<Run>
}

/** Lets everybody have a turn in each round; `change` comes before each turn, so that all find the same difference. */
async function rounds(
  question: string,
  peers: readonly (Peer | string)[],
  change: () => void = () => {},
): Promise<void> {
  const found = new Map<string, Run[]>()
  for (let round = 0; round < runs; round++)
    for (const peer of peers) {
      if (typeof peer === 'string') continue
      change()
      found.set(peer.who, [...(found.get(peer.who) ?? []), await peer.run()])
    }
  table(
    question,
    peers.map((peer): Row | string =>
      typeof peer === 'string' ? peer : { who: peer.who, runs: found.get(peer.who) ?? [] },
    ),
  )
}

/** Counts what is sent to the registry when one class changed. */
async function bytesPushed(
  ground: Ground,
  app: string,
  build: (host: string) => Promise<unknown>,
): Promise<number> {
  await using door = await countingDoor(ground.registry)
  await build(door.host)
  changeClass(app)
  door.sent()
  await build(door.host)
  return door.sent()
}

/** Against pack with a trusted builder of the reference lifecycle. */
async function packs(ground: Ground): Promise<void> {
  const { app, buildpack } = writeFixed(join(place, 'fixed'))
  const { registry, base } = ground
  const builder = `${registry}/bench/builder`
  const description = join(place, 'builder.toml')
  writeFileSync(
    description,
    `[[buildpacks]]
uri = "${buildpack}"
[[order]]
[[order.group]]
id = "bench/fixed"
version = "1.0.0"
[build]
image = "${base.build}"
[[run.images]]
image = "${base.run}"
[lifecycle]
uri = "${ground.lifecycle}"
`,
  )
  const hasDocker = typeof ground.docker !== 'string'
  if (hasDocker) await ground.pack('builder', 'create', builder, '--publish', '--config', description)
  const env = {
    PACK_HOME: join(place, 'pack'),
    DOCKER_HOST: typeof ground.docker === 'string' ? '' : ground.docker.host,
  }
  const own = (name: string, host = registry) =>
    slipway([
      ...['build', `${host}/bench/${name}`, '--publish', '--path', app, '--buildpack', buildpack],
      ...['--run-image', `${host}/base/run:trixie`],
    ])
  const pack = (name: string, host = registry) =>
    run(
      [
        ...[ground.tools.pack, 'build', `${host}/bench/${name}`, '--publish', '--path', app],
        ...['--builder', builder, '--trust-builder', '--network', 'host', '--pull-policy', 'if-not-present'],
        ...['--run-image', `${host}/base/run:trixie`],
      ],
      { env },
    )
  // Sandbox, builder and bases are brought to the machine once; that is not what is measured.
  await own('warm')
  if (hasDocker) await pack('warm')
  let fresh = 0
  const peers = (name: () => string): (Peer | string)[] => [
    { who: 'slipway', run: () => own(`slipway${name()}`) },
    hasDocker
      ? { who: 'pack --publish', run: () => pack(`pack${name()}`) }
      : `pack: not here (${ground.docker})`,
  ]
  await rounds(
    'first build, 37 MB app and 300 MB layer',
    peers(() => `-${fresh++}`),
    () => changeLibrary(app),
  )
  await rounds(
    'nothing changed',
    peers(() => ''),
  )
  await rounds(
    'one class changed',
    peers(() => ''),
    () => changeClass(app),
  )
  const pushed = [await bytesPushed(ground, app, host => own('counted', host))]
  if (hasDocker) pushed.push(await bytesPushed(ground, app, host => pack('counted-pack', host)))
  const [ours = 0, theirs] = pushed
  console.log(`| one class changed, bytes sent | slipway | ${(ours / 1000).toFixed(0)} kB | | 1 |`)
  if (theirs !== undefined)
    console.log(
      `| one class changed, bytes sent | pack --publish | ${(theirs / 1000).toFixed(0)} kB | | ${(theirs / ours).toFixed(1)}× |`,
    )
}

/** A new run image under an image in a registry, from a cold start of the program. */
async function rebases(ground: Ground): Promise<void> {
  const { app, buildpack } = writeFixed(join(place, 'rebased'))
  const { registry, base, tools } = ground
  for (const name of ['ours', 'theirs'])
    await slipway([
      ...['build', `${registry}/rebase/${name}`, '--publish', '--path', app, '--buildpack', buildpack],
      ...['--run-image', base.previous],
    ])
  let turn = 0
  const next = () => (turn++ % 4 < 2 ? base.run : base.previous)
  const env = { PACK_HOME: join(place, 'pack') }
  await rounds('rebase in a registry', [
    {
      who: 'slipway',
      run: () => slipway(['rebase', `${registry}/rebase/ours`, '--publish', '--run-image', next()]),
    },
    {
      who: 'pack rebase --publish',
      run: () =>
        run(
          [tools.pack, 'rebase', `${registry}/rebase/theirs`, '--publish', '--run-image', next(), '--force'],
          {
            env,
          },
        ),
    },
  ])
}

/** Copies a sample, and gives a way to change a line of it. */
function sample(name: string, file: string, line: RegExp, words: (turn: number) => string) {
  const app = join(place, name.replaceAll('/', '-'))
  cpSync(join(samples, name), app, { recursive: true })
  const text = readFileSync(join(app, file), 'utf8')
  if (!line.test(text)) throw new Error(`samples/${name}/${file} has no line ${line}`)
  let turn = 0
  return { app, change: () => writeFileSync(join(app, file), text.replace(line, words(turn++))) }
}

const JIB = 'com.google.cloud.tools:jib-maven-plugin:3.4.4:build'

async function jib(ground: Ground): Promise<void> {
  const file = 'src/main/java/samples/greeting/GreetingApplication.java'
  const { app, change } = sample('java/maven', file, /^(@SpringBootApplication)/m, turn => `/* ${turn} */ $1`)
  const { registry, base } = ground
  const own: Peer = {
    who: 'slipway',
    run: () =>
      slipway(['build', `${registry}/maven/slipway`, '--publish', '--path', app, '--run-image', base.run]),
  }
  const theirs: Peer = {
    who: 'Jib',
    run: () =>
      run(
        [
          ...['mvn', '-q', '-B', 'compile', JIB, `-Djib.from.image=${base.run}`],
          ...[`-Djib.to.image=${registry}/maven/jib`, '-Djib.allowInsecureRegistries=true'],
          ...[
            '-DsendCredentialsOverHttp=true',
            '-Djib.container.mainClass=samples.greeting.GreetingApplication',
          ],
        ],
        { cwd: app },
      ),
  }
  await compare('Maven sample, one source line changed', own, theirs, change)
}

async function ko(ground: Ground): Promise<void> {
  const { app, change } = sample(
    'go/modules',
    'main.go',
    /^package main$/m,
    turn => `package main // ${turn}`,
  )
  const { registry, base } = ground
  const bin = join(place, 'bin')
  mkdirSync(bin)
  const own: Peer = {
    who: 'slipway',
    run: () =>
      slipway(['build', `${registry}/go/slipway`, '--publish', '--path', app, '--run-image', base.run]),
  }
  const theirs: Peer = {
    who: 'ko',
    run: () =>
      run([join(bin, 'ko'), 'build', '--bare', '--insecure-registry', '--sbom=none', '.'], {
        cwd: app,
        env: { KO_DOCKER_REPO: `${registry}/go/ko`, KO_DEFAULTBASEIMAGE: base.run, HOME: place },
      }),
  }
  await run(['go', 'install', 'github.com/google/ko@v0.17.1'], { env: { GOBIN: bin } }).catch(() => {})
  await compare('Go sample, one source line changed', own, theirs, change)
}

async function buildah(ground: Ground): Promise<void> {
  const { app, buildpack } = writeFixed(join(place, 'buildah'))
  const { registry, base } = ground
  cpSync(join(buildpack, 'runtime'), join(app, '../context/runtime'), { recursive: true })
  const context = join(app, '../context')
  const containerfile = join(context, 'Containerfile')
  writeFileSync(
    containerfile,
    `FROM ${base.run}\nCOPY runtime /layers/runtime\nCOPY lib /workspace/lib\nCOPY classes /workspace/classes\nCMD ["sleep", "1"]\n`,
  )
  const packages = await debianPackages([
    'buildah',
    'libgpgme11',
    'libassuan0',
    'libsubid4',
    'libdevmapper1.02.1',
  ])
  if (typeof packages === 'string')
    return table('Containerfile, one class changed', [`buildah: not here (${packages})`])
  const { root } = packages
  const policy = join(place, 'policy.json')
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
  const storage = ['--root', join(place, 'containers'), '--runroot', join(place, 'containers-run')]
  const env = {
    LD_LIBRARY_PATH: `${root}/usr/lib/x86_64-linux-gnu:${root}/lib/x86_64-linux-gnu`,
    HOME: place,
  }
  const command = [join(root, 'usr/bin/buildah'), ...storage, '--storage-driver', 'overlay']
  const name = `${registry}/container/buildah`
  const script = `${command.map(word => `'${word}'`).join(' ')} build --signature-policy '${policy}' --tls-verify=false --layers --isolation chroot -t ${name} '${context}' &&
${command.map(word => `'${word}'`).join(' ')} push --signature-policy '${policy}' --tls-verify=false ${name}`
  const own: Peer = {
    who: 'slipway',
    run: () =>
      slipway([
        ...['build', `${registry}/container/slipway`, '--publish', '--path', app, '--buildpack', buildpack],
        ...['--run-image', base.run],
      ]),
  }
  const theirs: Peer = { who: 'buildah --layers, push', run: () => run(['sh', '-c', script], { env }) }
  const change = () => {
    changeClass(app)
    for (const directory of ['lib', 'classes'])
      cpSync(join(app, directory), join(context, directory), { recursive: true, preserveTimestamps: true })
  }
  await compare('37 MB app and 300 MB layer, one class changed', own, theirs, change)
}

/** Slipway and one peer, both warmed up; a peer that does not run here is said so. */
async function compare(question: string, own: Peer, theirs: Peer, change: () => void): Promise<void> {
  change()
  await own.run()
  const why = await theirs.run().then(
    () => undefined,
    (error: Error) => error.message.split('\n').filter(Boolean).slice(0, 3).join(' '),
  )
  await rounds(
    question,
    [own, why === undefined ? theirs : `${theirs.who}: not here (${why.slice(0, 160)})`],
    change,
  )
}

async function starts(ground: Ground): Promise<void> {
  await rounds('the version', [
    { who: 'slipway version', run: () => slipway(['version']) },
    { who: 'pack version', run: () => run([ground.tools.pack, 'version']) },
  ])
  await rounds('the images', [{ who: 'slipway images', run: () => slipway(['images']) }])
}

const SECTIONS = { pack: packs, rebase: rebases, buildah, jib, ko, start: starts }

try {
  const ground = await openGround()
  if (typeof ground === 'string') throw new Error(`there is nothing to compare with here: ${ground}`)
  await using _ = ground
  console.log(HEAD)
  for (const [name, section] of Object.entries(SECTIONS))
    if (wanted.length === 0 || wanted.includes(name))
      await section(ground).catch((error: Error) =>
        console.log(`| ${name} | failed: ${error.message.slice(-1500)} | | | |`),
      )
} finally {
  rmSync(place, { recursive: true, force: true })
}
