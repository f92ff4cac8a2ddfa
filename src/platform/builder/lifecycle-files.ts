import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { type Bill, type Component, printCycloneDx, printSpdx, purl } from '#bom'
import { BUILDPACK_APIS, type LifecycleDescriptor, PLATFORM_APIS } from '#cnb'
import { CONTRACT_VERSION } from '#lifecycle'
import type { MachineSources, Runtime } from '#runtimes'
import { check, parseJson, type Report } from '#std'
import { buildNode } from '../build/node.ts'
import { type LauncherBinary, launcherBinary } from '../launcher/launcher.ts'
import { writeLauncherBills } from '../launcher/sbom.ts'
import { shipped } from '../shipped.ts'
import { VERSION } from '../version.ts'

/** A file of a builder's /cnb/lifecycle. */
export interface LifecycleFile {
  readonly name: string
  readonly mode: 0o644 | 0o755
  /** Where it is on this machine. */
  readonly path: string
}

/** Our lifecycle for builders: flat files, and what lifecycle.toml says of it. */
export interface LifecycleFiles {
  /** Sorted by name. */
  readonly files: readonly LifecycleFile[]
  readonly descriptor: LifecycleDescriptor
}

/** What the files are found or made with. */
export interface LifecycleFilesOptions {
  /** Of the builder. */
  readonly arch: 'amd64' | 'arm64'
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly sources: MachineSources
  readonly report: Report
  readonly signal?: AbortSignal | undefined
}

/** Programs of `dist/lifecycle`, as `tools/lifecycle.ts` cuts them. */
const PROGRAMS = [
  ...['analyzer', 'detector', 'restorer', 'builder', 'exporter', 'creator', 'rebaser', 'extender'],
  'lifecycle',
]

/**
 * The files of our lifecycle (CNB platform specification, "Lifecycle"): the phases, the pinned Node.js that runs them, the launcher and the bills of materials of
 * all that. Equal versions give equal bytes. Where builders are used, the number of the contract decides what platforms ask of a lifecycle, so the descriptor has that
 * and not slipway's own.
 */
export async function lifecycleFiles(options: LifecycleFilesOptions): Promise<LifecycleFiles> {
  const { arch, home, sources, report } = options
  const directory = shipped('dist/lifecycle')
  const [node, launcher] = await Promise.all([
    buildNode({ home, sources, arch, report }),
    launcherBinary({ ...options, machine: process.arch, goModules: sources.goModules }),
  ])
  const bills = await writeBills(join(home, 'lifecycle', `${arch}-${launcher.digest.slice(7, 23)}`), {
    node,
    launcher,
    packages: await readPackages(join(directory, 'packages.json')),
  })
  const files: LifecycleFile[] = [
    ...PROGRAMS.map((name): LifecycleFile => ({ name, mode: 0o755, path: join(directory, name) })),
    { name: 'lifecycle.mjs', mode: 0o644, path: join(directory, 'lifecycle.mjs') },
    { name: 'node', mode: 0o755, path: join(node.path, 'bin/node') },
    { name: 'launcher', mode: 0o755, path: launcher.path },
    ...bills,
  ]
  return {
    files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    descriptor: {
      version: CONTRACT_VERSION,
      apis: {
        buildpack: { supported: BUILDPACK_APIS, deprecated: [] },
        platform: { supported: PLATFORM_APIS, deprecated: [] },
      },
    },
  }
}

const packagesSchema = v.array(v.object({ name: v.string(), version: v.string(), license: v.string() }))
type Packages = v.InferOutput<typeof packagesSchema>

async function readPackages(file: string): Promise<Packages> {
  const text = await readFile(file, 'utf8')
  return check(packagesSchema, parseJson(text, file), file)
}

interface Made {
  readonly node: Runtime
  readonly launcher: LauncherBinary
  readonly packages: Packages
}

async function writeBills(directory: string, { node, launcher, packages }: Made): Promise<LifecycleFile[]> {
  await mkdir(directory, { recursive: true })
  await writeLauncherBills(directory, launcher)
  const bill: Bill = { components: lifecycleComponents(node, packages) }
  await writeFile(join(directory, 'lifecycle.sbom.cdx.json'), printCycloneDx(bill))
  await writeFile(join(directory, 'lifecycle.sbom.spdx.json'), printSpdx(bill))
  return ['lifecycle', 'launcher'].flatMap(program =>
    ['cdx', 'spdx'].map((format): LifecycleFile => {
      const name = `${program}.sbom.${format}.json`
      return { name, mode: 0o644, path: join(directory, name) }
    }),
  )
}

function lifecycleComponents(node: Runtime, packages: Packages): Component[] {
  const own = { name: 'slipway-lifecycle', version: VERSION }
  return [
    { type: 'application', ...own, purl: purl({ type: 'generic', ...own }), licenses: ['Apache-2.0'] },
    {
      ...{ type: 'application', name: node.name, version: node.version, purl: node.purl },
      ...{ cpes: [...node.cpes], licenses: [...node.licenses] },
    },
    ...packages.map(
      ({ name, version, license }): Component => ({
        ...{ type: 'library', name, version, purl: purl({ type: 'npm', name, version }) },
        licenses: [license],
      }),
    ),
  ]
}
