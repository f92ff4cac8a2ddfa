import { execFile } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Story } from './cli.ts'
import { LIFECYCLE_VERSION, type ReferenceTools, referenceTools } from './reference.ts'
import { startCraneRegistry, type TestRegistry } from './registry.ts'

const run = promisify(execFile)

/** Where builders and buildpackages of others are made: the reference's tools, and a registry. */
export interface Workshop extends AsyncDisposable {
  readonly host: string
  readonly tools: ReferenceTools
  /** Runs `crane`, below the workshop's directory. */
  crane(...words: string[]): Promise<string>
  /** Runs `pack` there, with a home of its own. */
  pack(...words: string[]): Promise<string>
  /** Writes a file below the directory; scripts and what lies in a `bin` are executable. */
  write(path: string, text: string): void
  /** Writes a buildpack, or an image extension; gives its directory. */
  module(directory: string, module: ForeignModule): string
  /** Makes the base images `HOST/base/build` and `HOST/base/run` of others, out of one of slipway's, and a lifecycle for builders. */
  bases(): Promise<void>
  /** Makes a builder with `pack builder create`; `environment` is more of its `[build]`. */
  builder(name: string, toml: string, environment?: string): Promise<string>
}

/** A buildpack or image extension of shell scripts; what is left out is not there. */
export interface ForeignModule {
  /** The whole of buildpack.toml or extension.toml. */
  readonly toml: string
  readonly detect?: string
  readonly build?: string
  readonly generate?: string
}

/** Opens a workshop in a directory of the story. A string says why there is none on this machine. */
export async function openForeignWorkshop(place: Story): Promise<Workshop | string> {
  const tools = await referenceTools()
  const registry = typeof tools === 'string' ? tools : await startCraneRegistry()
  if (typeof tools === 'string' || typeof registry === 'string') return `${registry}`
  return workshopIn(place, tools, registry)
}

function workshopIn(place: Story, tools: ReferenceTools, registry: TestRegistry): Workshop {
  const { directory } = place
  const { host } = registry
  const options = { cwd: directory, maxBuffer: 1 << 24, env: { ...process.env, HOME: directory } }
  const crane = async (...words: string[]) => (await run(tools.crane, words, options)).stdout
  const pack = async (...words: string[]) => (await run(tools.pack, [...words, '--no-color'], options)).stdout
  const write = (path: string, text: string) => {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    if (path.includes('/bin/')) chmodSync(file, 0o755)
  }
  write('.pack/config.toml', 'experimental = true\n')
  return {
    host,
    tools,
    crane,
    pack,
    write,
    module(name, { toml, ...scripts }) {
      write(`${name}/${toml.includes('[extension]') ? 'extension' : 'buildpack'}.toml`, toml)
      for (const [script, text] of Object.entries(scripts))
        write(`${name}/bin/${script}`, `#!/usr/bin/env bash\nset -euo pipefail\n${text}\n`)
      return join(directory, name)
    },
    async bases() {
      const copy = ['copy', 'slipway/run:base', `docker://${host}/base/plain`]
      if ((await place.slipway(copy)).code !== 0) await place.slipway(['base', 'build', 'run:base'])
      const { code, stderr } = await place.slipway(copy)
      if (code !== 0) throw new Error(stderr)
      write('base/etc/passwd', 'root:x:0:0:root:/root:/bin/bash\nvcap:x:2000:2100::/home/vcap:/bin/bash\n')
      write('base/etc/group', 'root:x:0:\nvcap:x:2100:\n')
      write('base/home/vcap/.setting', 'of the image')
      symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(directory, 'base/etc/resolv.conf'))
      await run('tar', ['--owner=2000', '--group=2100', '-C', 'base', '-cf', 'base.tar', '.'], options)
      for (const name of ['build', 'run']) {
        await crane('append', '-b', `${host}/base/plain`, '-f', 'base.tar', '-t', `${host}/base/${name}`)
        const settings = ['--env', 'CNB_USER_ID=2000', '--env', 'CNB_GROUP_ID=2100', '-u', '2000:2100']
        const labels = ['io.buildpacks.stack.id=acme.stack', 'io.buildpacks.base.id=acme.base']
        const words = [...settings, ...labels.flatMap(label => ['-l', label])]
        await crane('mutate', `${host}/base/${name}`, '-t', `${host}/base/${name}`, ...words)
      }
      lifecycleIn(join(directory, 'lifecycle'), tools, write)
      await run('tar', ['-C', 'lifecycle', '-cf', 'lifecycle.tar', '.'], options)
    },
    async builder(name, toml, environment = '') {
      const bases = `[build]\nimage = "${host}/base/build"\n${environment}\n[lifecycle]\nuri = "lifecycle.tar"\n`
      write(`${name}.toml`, `${toml}\n${bases}`)
      const reference = `${host}/acme/${name}`
      const words = ['--publish', '--target', 'linux/amd64', '-c', `${name}.toml`]
      await pack('builder', 'create', reference, ...words)
      return reference
    },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
}

/** The reference lifecycle as its releases are: one program, and a link for each phase. */
function lifecycleIn(directory: string, tools: ReferenceTools, write: Workshop['write']): void {
  write(
    'lifecycle/lifecycle.toml',
    `[apis.buildpack]\nsupported = ["0.7", "0.8", "0.9", "0.10", "0.11"]\n[apis.platform]\nsupported = ["0.12", "0.13", "0.14"]\n[lifecycle]\nversion = "${LIFECYCLE_VERSION}"\n`,
  )
  const inner = join(directory, 'lifecycle')
  mkdirSync(inner, { recursive: true })
  cpSync(tools.lifecycle, join(inner, 'lifecycle'))
  cpSync(tools.launcher, join(inner, 'launcher'))
  for (const phase of ['analyzer', 'detector', 'restorer', 'builder', 'exporter', 'creator'])
    symlinkSync('lifecycle', join(inner, phase))
}
