import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { type BuilderConfig, parseOrder, type Target } from '#cnb'
import { type Image, parseReference, printReference } from '#oci'
import { byBytes } from '#std'
import { launcherBinary } from '../launcher/launcher.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { shipped } from '../shipped.ts'
import { directoryFiles, type ModuleFiles } from './blob.ts'
import { ownBase } from './builder-base.ts'
import type { BuilderParts } from './builder-create.ts'
import type { PackagingContext } from './context.ts'
import type { PackageModule } from './module.ts'
import { builderWrong } from './problems.ts'
import { putLayers } from './put-layers.ts'
import { describe, rootModule } from './root-module.ts'

/** What slipway's own builder is to be. */
export interface OwnBuilderRequest {
  readonly name: string
  readonly publish: boolean
  readonly base?: string | undefined
  readonly runImage?: string | undefined
  readonly variables: ReadonlyMap<string, string>
  readonly target: Target
  /** False for one of several platforms. */
  readonly alone: boolean
}

/** Where our builder stands if nobody says anything else. */
export const DEFAULT_BASE = 'build:base'

/**
 * The parts of slipway's own builder: every buildpack of ours as a module of its own, each with what it needs under any lifecycle, in the order in which slipway itself
 * tries them, on a base of ours. The run image of the same release is made too, and published beside a builder that is.
 * Throws a `Problem` (`BUILDER_CONFIG_INVALID`, or what making bases and launchers throws).
 */
export async function ownBuilder(
  request: OwnBuilderRequest,
  context: PackagingContext,
): Promise<BuilderParts> {
  const directory = shipped('dist/buildpacks')
  const orderFile = join(directory, 'order.toml')
  const { order } = parseOrder(await readFile(orderFile, 'utf8'), orderFile)
  const base = request.base ?? DEFAULT_BASE
  const runImage = request.runImage ?? (await ownRunImage(base, request, context))
  const config: BuilderConfig = {
    description: 'Java, Go, Node.js and Procfile apps on Debian, with the buildpacks of slipway',
    buildpacks: [],
    extensions: [],
    order,
    orderExtensions: [],
    buildImage: base,
    buildVariables: [...request.variables].map(([name, value]) => ({ name, value, suffix: 'default' })),
    runImages: [{ image: runImage, mirrors: [] }],
    lifecycle: {},
    targets: [],
    system: { pre: [], post: [] },
  }
  return { config, buildpacks: await ownModules(directory, request.target, context), extensions: [] }
}

/** Every buildpack of ours as it is packaged. */
export async function ownModules(
  directory: string,
  target: Target,
  context: PackagingContext,
): Promise<readonly PackageModule[]> {
  const names = (await readdir(directory)).filter(name => name.startsWith('slipway_')).toSorted(byBytes)
  const modules: PackageModule[] = []
  for (const name of names)
    for (const version of await readdir(join(directory, name)))
      modules.push(await ownModule(join(directory, name, version), name, target, context))
  return modules
}

const carriedSchema = v.object({
  slipway: v.object({ carries: v.array(v.picklist(['resolver', 'launcher'])) }),
})

async function ownModule(
  directory: string,
  name: string,
  { arch }: Target,
  context: PackagingContext,
): Promise<PackageModule> {
  const files = directoryFiles(directory, name)
  const { descriptor } = await describe(files, 'buildpack')
  const said = v.safeParse(carriedSchema, descriptor.metadata)
  const carried = said.success ? said.output.slipway.carries : []
  const extra: [name: string, path: string, mode: number][] = []
  if (carried.includes('launcher')) {
    const wanted = (arch ?? machineArchitecture()) as 'amd64' | 'arm64'
    extra.push([`helper/launcher-${wanted}`, await launcherFor(wanted, context), 0o755])
  }
  if (carried.includes('resolver')) {
    const resolver = shipped('dist/resolver')
    for (const file of (await readdir(resolver)).toSorted(byBytes))
      extra.push([file, join(resolver, file), 0o644])
  }
  return rootModule(withFiles(files, extra), 'buildpack')
}

async function launcherFor(arch: 'amd64' | 'arm64', context: PackagingContext): Promise<string> {
  const { home, environment, signal, report } = context.options
  const goModules = async () => (await context.sources()).goModules()
  return (await launcherBinary({ arch, machine: process.arch, home, environment, goModules, report, signal }))
    .path
}

function withFiles(files: ModuleFiles, extra: readonly [string, string, number][]): ModuleFiles {
  const common = { uid: 0, gid: 0, mtime: 0 }
  return {
    place: files.place,
    async *entries() {
      yield* files.entries()
      const directories = new Set<string>()
      for (const [name, path, mode] of extra) {
        const [directory, below] = name.split('/')
        if (directory !== undefined && below !== undefined && !directories.has(directory)) {
          directories.add(directory)
          yield { ...common, name: Buffer.from(directory), type: 'directory', mode: 0o755, size: 0 }
        }
        const { size } = await stat(path)
        yield {
          ...common,
          ...{ name: Buffer.from(name), type: 'file', mode, size },
          content: () => createReadStream(path),
        }
      }
    },
  }
}

/** The run image that belongs to a base to build in: in the store, or beside a builder that is published. */
async function ownRunImage(
  base: string,
  request: OwnBuilderRequest,
  context: PackagingContext,
): Promise<string> {
  const [, release = ''] = /^(?:slipway\/)?build:base((?:-[a-z]+)?)$/.exec(base) ?? [undefined, undefined]
  if (!/^(?:slipway\/)?build:base/.test(base))
    throw builderWrong(
      request.name,
      `nobody knows which run image belongs to ${base}`,
      'Name one with --run-image, or describe the builder in a file given with --config.',
    )
  const name = `run:base${release}`
  const image = await ownBase(name, request.target, context)
  if (!request.publish) return `slipway/${name}`
  const { registry, repository, tag = 'latest' } = parseReference(request.name)
  const { os = 'linux', arch = machineArchitecture() } = request.target
  const suffix = request.alone ? '' : `-${os}-${arch}`
  const reference = printReference({ registry, repository: `${repository}-run`, tag: `${tag}${suffix}` })
  await publish(image as Image, reference, context)
  return reference
}

async function publish(image: Image, reference: string, { ways }: PackagingContext): Promise<void> {
  const store = ways.registries.store(parseReference(reference))
  const copied = await putLayers(image, [], store)
  await store.write({ ...image, layers: copied.layers }, [reference])
}
