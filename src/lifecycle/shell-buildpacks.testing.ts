import { spawn } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type BaseTarget, inheritedEnvironment, type Order, parseBuildpack, parseBuildpackId } from '#cnb'
import { recording, temporaryDirectory } from '#std'
import type { BuildpackSource, Execution, Executor, FoundBuildpack, Place, Places } from './executor.ts'

/** Runs executables as plain processes of this user; paths inside are those of this machine. */
export const plainExecutor: Executor = {
  run: ({ command, cwd, env, output, signal }) =>
    new Promise((resolve, reject) => {
      const [program = '', ...args] = command
      const child = spawn(program, args, {
        cwd,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(signal && { signal }),
      })
      child.stdout.on('data', output)
      child.stderr.on('data', output)
      child.on('error', reject)
      child.on('close', (code, killed) =>
        resolve(code === null ? { why: `was ended by ${killed}` } : { exitCode: code }),
      )
    }),
}

/** A buildpack of shell scripts; what is left out does nothing and succeeds. */
export interface ShellBuildpack {
  readonly api?: string
  /** More of buildpack.toml: first keys of `[buildpack]`, then tables. */
  readonly toml?: string
  readonly detect?: string
  readonly build?: string
  /** For an extension, whose executables are left out unless they are given. */
  readonly generate?: string
  readonly extension?: boolean
}

/** A directory with an app, layers, a platform directory and buildpacks, for tests of phases. */
export interface Workshop extends AsyncDisposable {
  readonly path: string
  readonly places: Places & { readonly buildConfig: Place }
  readonly report: ReturnType<typeof recording>
  readonly buildpacks: BuildpackSource
  readonly target: BaseTarget
  readonly environment: ReturnType<typeof inheritedEnvironment>
  /** What was run, in order. */
  readonly executions: Execution[]
  readonly executor: Executor
  /** Adds version 1.0.0 of a buildpack. */
  add(id: string, buildpack?: ShellBuildpack): Promise<FoundBuildpack>
  /** Writes a file below the workshop's directory. */
  write(path: string, content: string): Promise<void>
}

export const VERSION = '1.0.0'

/** Groups of buildpack ids, `?` after optional ones: `['a b?', 'c']`. */
export function orderOf(...groups: string[]): Order {
  return groups.map(group =>
    group.split(' ').map(name => ({
      id: parseBuildpackId(name.replace('?', ''), 'a test'),
      version: VERSION,
      optional: name.endsWith('?'),
      execEnv: [],
    })),
  )
}

/** Makes an empty workshop; all is gone when it is disposed. */
export async function openWorkshop(): Promise<Workshop> {
  const directory = await temporaryDirectory(tmpdir(), 'phases-')
  const place = (name: string): Place => ({
    host: join(directory.path, name),
    inside: join(directory.path, name),
  })
  const places = {
    app: place('workspace'),
    layers: place('layers'),
    platform: place('platform'),
    buildConfig: place('build-config'),
  }
  for (const { host } of Object.values(places)) await mkdir(join(host, 'env'), { recursive: true })
  const known = new Map<string, FoundBuildpack>()
  const executions: Execution[] = []
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(directory.path, path)), { recursive: true })
    await writeFile(join(directory.path, path), content)
  }
  return {
    path: directory.path,
    places,
    report: recording(),
    target: { os: 'linux', arch: 'amd64', distro: { name: 'debian', version: '13' } },
    environment: inheritedEnvironment({ PATH: '/usr/bin:/bin', HOME: '/home/cnb' }),
    buildpacks: {
      find: async (id, version) => known.get(`buildpack ${id}@${version}`),
      findExtension: async (id, version) => known.get(`extension ${id}@${version}`),
    },
    executions,
    executor: {
      run(execution) {
        executions.push(execution)
        return plainExecutor.run(execution)
      },
    },
    write,
    async add(id, { api = '0.12', toml = '', extension = false, ...given } = {}) {
      const root = join('buildpacks', id.replaceAll('/', '_'))
      const kind = extension ? 'extension' : 'buildpack'
      const text = `api = "${api}"\n[${kind}]\nid = "${id}"\nversion = "${VERSION}"\n${toml}\n`
      await write(join(root, `${kind}.toml`), text)
      const { detect = '', build = '' } = given
      for (const [name, script] of Object.entries(extension ? given : { detect, build })) {
        await write(join(root, 'bin', name), `#!/bin/sh\nset -eu\n${script}\n`)
        await chmod(join(directory.path, root, 'bin', name), 0o755)
      }
      const host = join(directory.path, root)
      const found = { descriptor: parseBuildpack(text, `${kind}.toml`), root: { host, inside: host } }
      known.set(`${kind} ${id}@${VERSION}`, found)
      return found
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}
