import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { type TemporaryDirectory, temporaryDirectory } from '#std'
import { bundleLifecycle } from '../../tools/lifecycle.ts'
import { referenceTools } from './reference.ts'
import { startCraneRegistry } from './registry.ts'

export type Maker = 'ours' | 'reference'
export const MAKERS: readonly Maker[] = ['ours', 'reference']

/** What a program of a lifecycle left. */
export interface PhaseEnd {
  readonly code: number
  /** Standard output and error, colours taken away. */
  readonly output: string
}

/** Two lifecycles as programs, ours and the reference's, on one ground: a registry with a run image, and a builder's directories. */
export interface Lifecycles extends AsyncDisposable {
  /** `HOST:PORT` of the registry. */
  readonly host: string
  readonly directory: string
  readonly uid: number
  crane(...words: string[]): string
  /** Writes a file below the ground's directory, readable by everyone. */
  write(path: string, content: string, mode?: number): string
  /** Fresh directories for a build, with the app in them. Layers name their directories, so what is to be equal has to be made in a workshop of one name. */
  workshop(name: string): Workshop
  run(
    maker: Maker,
    phase: string,
    words: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<PhaseEnd>
}

/** The directories of one build. */
export interface Workshop {
  readonly layers: string
  readonly app: string
  readonly cache: string
  /** Flags that name them, for those phases that have them. */
  flags(phase: string): string[]
  /** Gives all of it to the user that the phases run as. */
  own(): void
  /** Empties the layers, as a new container would find them. */
  renew(): void
  /** A file of the layers; undefined where there is none. */
  read(path: string): string | undefined
}

/** A user with a home in passwd(5), as the reference's creator wants it. */
const NOBODY = 65534
const isRoot = process.getuid?.() === 0

const FLAGS: Readonly<Record<string, readonly string[]>> = {
  analyzer: ['layers', 'run'],
  detector: ['layers', 'app', 'buildpacks', 'order', 'platform'],
  restorer: ['layers', 'cache-dir'],
  builder: ['layers', 'app', 'buildpacks', 'platform'],
  exporter: ['layers', 'app', 'cache-dir', 'launcher', 'run'],
  creator: ['layers', 'app', 'buildpacks', 'order', 'platform', 'cache-dir', 'launcher', 'run'],
}

function isNamed(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

/** Makes the ground; a string says why it cannot be had here. */
export async function openLifecycles(): Promise<Lifecycles | string> {
  if (!isNamed()) return 'the reference wants a user who is in passwd(5), and this one is not'
  const tools = await referenceTools(['crane', 'lifecycle', 'launcher'])
  if (typeof tools === 'string') return tools
  const registry = await startCraneRegistry()
  if (typeof registry === 'string') return registry
  const scratch = await temporaryDirectory(tmpdir(), 'lifecycles-')
  chmodSync(scratch.path, 0o755)
  const at = (...path: string[]) => join(scratch.path, ...path)
  mkdirSync(at('reference'))
  for (const phase of [...Object.keys(FLAGS), 'rebaser'])
    copyFileSync(tools.lifecycle, at('reference', phase))
  copyFileSync(tools.launcher, at('launcher'))
  await bundleLifecycle(at('ours'))
  execFileSync('chmod', ['-R', 'a+rX', at('ours'), at('reference'), at('launcher')])
  const uid = isRoot ? NOBODY : (process.getuid?.() ?? 0)
  const gid = isRoot ? NOBODY : (process.getgid?.() ?? 0)
  const crane = (...words: string[]) => execFileSync(tools.crane, words, { encoding: 'utf8', stdio: 'pipe' })
  const write = (path: string, content: string, mode = 0o644) => {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), content)
    chmodSync(at(path), mode)
    return at(path)
  }
  makeRunImage(crane, registry.host, scratch, '1')
  makeRunImage(crane, registry.host, scratch, '2')
  write('run.toml', `[[images]]\nimage = "${registry.host}/run:1"\nmirrors = ["${registry.host}/run:2"]\n`)
  mkdirSync(at('platform/env'), { recursive: true })
  const own = (path: string) => isRoot && execFileSync('chown', ['-R', `${uid}:${gid}`, path])
  return {
    ...{ host: registry.host, directory: scratch.path, uid, crane, write },
    workshop: name => openWorkshop(at('work', name), at, own),
    async run(maker, phase, words, env = {}) {
      const program = maker === 'reference' ? [at('reference', phase)] : [process.execPath, at('ours', phase)]
      const identity = ['setpriv', '--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups']
      const [command = '', ...rest] = [...(isRoot ? identity : []), ...program, ...words]
      const child = spawn(command, rest, {
        env: {
          ...{ PATH: '/usr/bin:/bin', HOME: '/tmp', CNB_PLATFORM_API: '0.14', CNB_USER_ID: `${uid}` },
          ...{ CNB_GROUP_ID: `${gid}`, CNB_EXPERIMENTAL_MODE: 'warn' },
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (output += text))
      const code = await new Promise<number>((resolve, reject) => {
        child.once('error', reject)
        child.once('close', ended => resolve(ended ?? -1))
      })
      return { code, output: output.replace(/\u001b\[[0-9;]*m/g, '') }
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]()
      await scratch[Symbol.asyncDispose]()
    },
  }
}

function openWorkshop(
  root: string,
  at: (...path: string[]) => string,
  own: (path: string) => unknown,
): Workshop {
  const [layers, app, cache] = ['layers', 'app', 'cache'].map(name => join(root, name)) as [
    string,
    string,
    string,
  ]
  rmSync(root, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  mkdirSync(layers)
  if (existsSync(at('app'))) cpSync(at('app'), app, { recursive: true })
  own(root)
  const places: Readonly<Record<string, string>> = {
    ...{ layers, app, 'cache-dir': cache, buildpacks: at('buildpacks'), order: at('order.toml') },
    ...{ platform: at('platform'), launcher: at('launcher'), run: at('run.toml') },
  }
  return {
    ...{ layers, app, cache },
    flags: phase => (FLAGS[phase] ?? []).flatMap(name => [`-${name}`, places[name] ?? '']),
    own: () => void own(root),
    renew() {
      rmSync(layers, { recursive: true })
      mkdirSync(layers)
      own(layers)
    },
    read(path) {
      const file = join(layers, path)
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined
    },
  }
}

function makeRunImage(
  crane: Lifecycles['crane'],
  host: string,
  { path }: TemporaryDirectory,
  tag: string,
): void {
  const root = join(path, `base-${tag}`)
  mkdirSync(join(root, 'etc'), { recursive: true })
  writeFileSync(join(root, 'etc/release'), `${tag}\n`)
  execFileSync('tar', ['-C', root, '-cf', `${root}.tar`, 'etc'])
  const reference = `${host}/run:${tag}`
  crane('append', '--oci-empty-base', '-f', `${root}.tar`, '-t', reference)
  const labels = ['name=debian', 'version=13'].flatMap(each => ['-l', `io.buildpacks.base.distro.${each}`])
  crane(
    'mutate',
    reference,
    '--set-platform',
    'linux/amd64',
    '--env',
    'PATH=/usr/bin:/bin',
    ...labels,
    '-t',
    reference,
  )
}
