import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Story, story } from '../support/cli.ts'
import { startDocker, type TestDocker } from '../support/docker.ts'
import { LIFECYCLE_VERSION, type ReferenceTools, referenceTools } from '../support/reference.ts'
import { startDebianRegistry, type TestRegistry } from '../support/registry.ts'
import { writeBuildpack } from './buildpack.ts'

const run = promisify(execFile)

/** What every cell of the interop matrix stands on: a registry with bases of slipway, the reference tools, and a Docker daemon for `pack`. */
export interface Ground extends AsyncDisposable {
  readonly place: Story
  /** `127.0.0.1:PORT`. */
  readonly registry: string
  readonly tools: ReferenceTools
  /** Why `pack build` and containers cannot run here, if they cannot. */
  readonly docker: TestDocker | string
  /** Directory of the buildpack that everybody builds with. */
  readonly buildpack: string
  /** The reference lifecycle as `pack builder create` takes it. */
  readonly lifecycle: string
  /** The same as an image, which `pack` takes the phases from where it does not trust a builder with all of them. */
  readonly lifecycleImage: string
  /** Bases in the registry, the older one of the run bases first. */
  readonly base: { readonly build: string; readonly previous: string; readonly run: string }
  /** Runs `pack WORDS…`; gives what it printed. Throws if it fails. */
  pack(...words: string[]): Promise<string>
  /** Runs `crane WORDS…`; gives its standard output. */
  crane(...words: string[]): Promise<string>
  /** Runs `slipway WORDS…` as an ordinary user; gives what it printed. Throws if it fails. */
  slipway(...words: string[]): Promise<{ stdout: string; stderr: string }>
}

/** Opens the ground. A string says why there is none here. */
export async function openGround(): Promise<Ground | string> {
  const tools = await referenceTools()
  if (typeof tools === 'string') return tools
  const registry = await startDebianRegistry()
  if (typeof registry === 'string') return registry
  const place = story()
  const docker = await startDocker()
  try {
    return await layOut({ tools, registry, place, docker })
  } catch (error) {
    await close({ registry, place, docker })
    throw error
  }
}

interface Parts {
  readonly tools: ReferenceTools
  readonly registry: TestRegistry
  readonly place: Story
  readonly docker: TestDocker | string
}

async function layOut({ tools, registry, place, docker }: Parts): Promise<Ground> {
  const { host } = registry
  const home = join(place.directory, 'pack-home')
  mkdirSync(home)
  const env = {
    ...process.env,
    PACK_HOME: home,
    HOME: home,
    ...(typeof docker !== 'string' && { DOCKER_HOST: docker.host }),
  }
  const program = async (path: string, words: readonly string[]) => {
    const { stdout, stderr } = await run(path, words, { env, cwd: place.directory, maxBuffer: 1 << 26 })
    return { stdout, stderr }
  }
  const slipway = async (...words: string[]) => {
    const { code, stdout, stderr } = await place.slipway(words)
    if (code !== 0) throw new Error(`slipway ${words.join(' ')} ended with ${code}:\n${stderr}`)
    return { stdout, stderr }
  }
  const crane = async (...words: string[]) => (await program(tools.crane, words)).stdout
  const ground: Ground = {
    place,
    registry: host,
    tools,
    docker,
    buildpack: join(place.directory, 'buildpack'),
    lifecycle: await lifecycleArchive(place.directory, tools),
    lifecycleImage: `${host}/reference/lifecycle:${LIFECYCLE_VERSION}`,
    base: {
      build: `${host}/base/build:trixie`,
      previous: `${host}/base/run:previous`,
      run: `${host}/base/run:trixie`,
    },
    pack: async (...words) => {
      const { stdout, stderr } = await program(tools.pack, ['--no-color', ...words])
      return stdout + stderr
    },
    crane,
    slipway,
    [Symbol.asyncDispose]: () => close({ registry, place, docker }),
  }
  writeBuildpack(ground.buildpack)
  place.own('buildpack')
  const bases = [
    ['slipway/build:base', ground.base.build],
    ['slipway/run:base-previous', ground.base.previous],
    ['slipway/run:base', ground.base.run],
  ] as const
  for (const [index, [name, reference]] of bases.entries()) {
    await slipway('base', 'build', name)
    await slipway('copy', name, `oci:base-${index}`)
    await crane('push', join(place.directory, `base-${index}`), reference)
  }
  await pushLifecycle(ground)
  return ground
}

async function close({ registry, place, docker }: Omit<Parts, 'tools'>): Promise<void> {
  if (typeof docker !== 'string') await docker[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
  place[Symbol.dispose]()
}

/** Packs the reference lifecycle as its releases are packed: `lifecycle.toml` beside a directory of programs. */
async function lifecycleArchive(directory: string, { lifecycle, launcher }: ReferenceTools): Promise<string> {
  const source = join(directory, 'reference')
  const programs = join(source, 'lifecycle')
  mkdirSync(programs, { recursive: true })
  await run('cp', [lifecycle, join(programs, 'lifecycle')])
  await run('cp', [launcher, join(programs, 'launcher')])
  for (const phase of [
    'analyzer',
    'detector',
    'restorer',
    'builder',
    'exporter',
    'creator',
    'rebaser',
    'extender',
  ])
    await run('ln', ['-sf', 'lifecycle', join(programs, phase)])
  chmodSync(programs, 0o755)
  writeFileSync(
    join(source, 'lifecycle.toml'),
    `[apis]
[apis.buildpack]
deprecated = []
supported = ${JSON.stringify(APIS.buildpack.supported)}
[apis.platform]
deprecated = []
supported = ${JSON.stringify(APIS.platform.supported)}
[lifecycle]
version = "${LIFECYCLE_VERSION}"
`,
  )
  const archive = join(directory, 'lifecycle.tgz')
  await run('tar', ['-C', source, '--owner=0', '--group=0', '-czf', archive, 'lifecycle.toml', 'lifecycle'])
  // The image holds the same below /cnb.
  await run('mv', [programs, join(source, 'cnb-lifecycle')])
  await run('tar', [
    ...['-C', source, '--owner=0', '--group=0', '--transform', 's,^cnb-lifecycle,cnb/lifecycle,'],
    ...['-cf', join(directory, 'lifecycle.tar'), 'cnb-lifecycle'],
  ])
  rmSync(source, { recursive: true })
  return archive
}

const APIS = {
  buildpack: { deprecated: [], supported: ['0.7', '0.8', '0.9', '0.10', '0.11'] },
  platform: { deprecated: [], supported: ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12', '0.13', '0.14'] },
}

async function pushLifecycle({ place, crane, base, lifecycleImage }: Ground): Promise<void> {
  const tar = join(place.directory, 'lifecycle.tar')
  // On a base, because its phases run as root by name.
  await crane('append', '--base', base.run, '--new_layer', tar, '--new_tag', lifecycleImage)
  const labels = [
    `io.buildpacks.lifecycle.version=${LIFECYCLE_VERSION}`,
    `io.buildpacks.lifecycle.apis=${JSON.stringify(APIS)}`,
  ]
  await crane(
    'mutate',
    lifecycleImage,
    '--set-platform',
    'linux/amd64',
    ...labels.flatMap(each => ['--label', each]),
    '--tag',
    lifecycleImage,
  )
}

/** Text of a builder.toml over the ground's bases. */
export function builderDescription({ base, lifecycle }: Ground, buildpack: string): string {
  return `description = "Interop"
[[buildpacks]]
uri = "${buildpack}"
[[order]]
[[order.group]]
id = "interop/bash"
version = "1.0.0"
[build]
image = "${base.build}"
[[run.images]]
image = "${base.previous}"
[lifecycle]
uri = "${lifecycle}"
`
}
