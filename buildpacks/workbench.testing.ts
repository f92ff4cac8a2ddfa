import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import {
  type Build,
  buildPhase,
  type Call,
  type Detect,
  detectPhase,
  parseToml,
  type Requirement,
} from '#sdk'

type Table = Record<string, unknown>

/** A tree of files for tests: path and content. */
export type Files = Readonly<Record<string, string | Uint8Array>>

/** Writes a tree of files. */
export function writeTree(directory: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
}

/** An app, a layers directory and a platform for one buildpack; everything is gone when disposed. */
export interface Workbench extends AsyncDisposable {
  readonly application: string
  readonly layers: string
  /** Detects; the plan, or `undefined` where the buildpack does not take part. */
  detect(detect: Detect): Promise<Table | undefined>
  /** Builds with what the plan asks of the buildpack; returns what it printed. */
  build(build: Build, plan: readonly (string | Requirement)[]): Promise<string>
  /** A TOML file that the buildpack left in its layers directory. */
  table(name: string): Table | undefined
  /** A file in the layers directory. */
  file(path: string): string
}

export interface WorkbenchOptions {
  /** The name of the buildpack. */
  readonly buildpack: string
  readonly files: Files
  readonly environment?: Readonly<Record<string, string>>
  /** Service bindings, by name. */
  readonly bindings?: Readonly<Record<string, Files>>
  /** What the platform serves, by name: a version and the files of its tree. */
  readonly dependencies?: Readonly<Record<string, { readonly version: string; readonly files: Files }>>
}

/** Opens a workbench. Dependencies are served over the socket as slipway's platform does it. */
export async function workbench(options: WorkbenchOptions): Promise<Workbench> {
  const root = mkdtempSync(join(tmpdir(), 'buildpack-'))
  const [application, layers, platform] = ['app', 'layers', 'platform'].map(name => join(root, name)) as [
    string,
    string,
    string,
  ]
  for (const directory of [application, layers, platform]) mkdirSync(directory)
  writeTree(application, options.files)
  for (const [name, files] of Object.entries(options.bindings ?? {}))
    writeTree(join(platform, 'bindings', name), files)
  const server = await serve(root, platform, options.dependencies ?? {})
  const printed: string[] = []
  const call: Call = {
    application,
    buildpack: join(import.meta.dirname, options.buildpack),
    platform,
    environment: {
      CNB_TARGET_DISTRO_NAME: 'debian',
      CNB_TARGET_DISTRO_VERSION: '13',
      ...options.environment,
    },
    machine: 'x64',
    sink: text => void printed.push(text),
  }
  const planFile = join(root, 'plan.toml')
  const toml = (path: string) =>
    existsSync(path) ? structuredClone(parseToml(readFileSync(path, 'utf8'), path)) : undefined
  return {
    application,
    layers,
    async detect(detect) {
      rmSync(planFile, { force: true })
      return (await detectPhase(detect, call, planFile)) === 0 ? toml(planFile) : undefined
    },
    async build(build, plan) {
      writeFileSync(planFile, plan.map(entryText).join(''))
      printed.length = 0
      await buildPhase(build, call, layers, planFile)
      return printed.join('')
    },
    table: name => toml(join(layers, name)),
    file: path => readFileSync(join(layers, path), 'utf8'),
    async [Symbol.asyncDispose]() {
      await server()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function entryText(entry: string | Requirement): string {
  const { name, metadata = {} } = typeof entry === 'string' ? { name: entry } : entry
  const lines = Object.entries(metadata).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
  return `[[entries]]\nname = "${name}"\n${lines.length > 0 ? `[entries.metadata]\n${lines.join('')}` : ''}`
}

/** Answers `POST /resolve` with trees that are written for the test. Returns what stops it. */
async function serve(
  root: string,
  platform: string,
  dependencies: NonNullable<WorkbenchOptions['dependencies']>,
) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const { name } = JSON.parse(body)
      const found = dependencies[name]
      assert.ok(found, `the test serves no ${name}`)
      const tree = join(root, 'trees', name)
      writeTree(tree, found.files)
      response.end(
        JSON.stringify({
          name,
          version: found.version,
          root: tree,
          digest: `sha256:${'0'.repeat(64)}`,
          purl: `pkg:generic/${name}@${found.version}`,
          cpes: [],
          licenses: [],
          components: [
            { type: 'library', name, version: found.version, purl: `pkg:generic/${name}@${found.version}` },
          ],
          environment: {},
          hints: {},
        }),
      )
    })
  })
  mkdirSync(join(platform, 'dependencies'))
  await new Promise<void>(done => server.listen(join(platform, 'dependencies/socket'), done))
  return () =>
    new Promise<void>(done => {
      server.closeAllConnections()
      server.close(() => done())
    })
}

/** Names of what a plan provides or requires. */
export function names(plan: Table | undefined, key: 'provides' | 'requires'): string[] {
  return ((plan?.[key] ?? []) as { name: string }[]).map(({ name }) => name)
}

/** The process of a type in launch.toml. */
export function processOf(table: Table | undefined, type: string): Record<string, unknown> | undefined {
  return ((table?.processes ?? []) as Record<string, unknown>[]).find(each => each.type === type)
}

/** A zip file (a jar, a war) that holds the files as they are. */
export function zipOf(files: Files): Buffer {
  const [locals, central]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const [path, value] of Object.entries(files)) {
    const [name, content] = [Buffer.from(path), Buffer.from(value)]
    const facts = Buffer.alloc(26)
    facts.writeUInt16LE(20, 0)
    facts.writeUInt32LE(crc32(content), 10)
    facts.writeUInt32LE(content.length, 14)
    facts.writeUInt32LE(content.length, 18)
    facts.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, name, content])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), facts, rest, name]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(locals.length, 8)
  end.writeUInt16LE(locals.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

/** The manifest of a jar. */
export const manifest = (...lines: string[]) => ['Manifest-Version: 1.0', ...lines, ''].join('\r\n')
