import { dirname, resolve } from 'node:path'
import {
  BUILDPACK_LAYERS_LABEL,
  BUILDPACKAGE_LABEL,
  EXTENSION_LAYERS_LABEL,
  fullName,
  type PackageConfig,
  parsePackageConfig,
  printBuildpackage,
  printModuleLayers,
  type Target,
} from '#cnb'
import {
  emptyImage,
  type Image,
  type ImageStore,
  label,
  parseReference,
  type StoredImage,
  writeLayoutArchive,
} from '#oci'
import { readIfExists } from '#std'
import { parseInput } from '../read-input.ts'
import type { ModuleFiles } from './blob.ts'
import { type PackagingContext, packagingFor } from './context.ts'
import { locateFiles, locateModules } from './locate.ts'
import { allOf, type PackageModule } from './module.ts'
import { packageWrong } from './problems.ts'
import { CREATED, type NamedTar, putLayers, writeOne } from './put-layers.ts'
import { describe, rootModule } from './root-module.ts'
import { ownTar, sharedTar } from './shared-layers.ts'
import { commonStacks } from './stacks.ts'
import { chooseTargets, nameForTarget, platformView } from './targets.ts'

/** What a buildpackage is made from and written to. */
export interface PackageRequest {
  /** A file (`x.cnb`), a name in the store, or with `publish` a reference. */
  readonly name: string
  readonly format: 'image' | 'file'
  readonly publish: boolean
  /** A package.toml; without one the buildpack at `path` is packaged alone. */
  readonly config?: string | undefined
  readonly path?: string | undefined
  /** Targets that the person named, instead of those that the buildpack does. */
  readonly targets: readonly Target[]
  readonly labels: Readonly<Record<string, string>>
  readonly flatten: boolean
  /** `id@version` of those that keep a layer of their own. */
  readonly flattenExclude: readonly string[]
  readonly appendSuffix: boolean
}

/** One buildpackage that was written. */
export interface WrittenPackage {
  readonly name: string
  readonly digest: string
  readonly target: Target
  /** Set unless it is a file. */
  readonly image?: StoredImage
}

/**
 * Packages a buildpack, or several with one that has their order, as pack does: one package for each target. Equal input gives equal bytes.
 * Throws a `Problem` (`PACKAGE_INVALID`, `MODULE_INVALID`, `MODULE_MISSING`, …).
 */
export async function packageBuildpack(
  request: PackageRequest,
  context: PackagingContext,
): Promise<WrittenPackage[]> {
  const { config, base } = await readConfig(request, context)
  const files = await mainFiles(config, base, context)
  const { descriptor } = await describe(files, config.kind)
  const own = descriptor.order?.length ? config.targets : descriptor.targets
  const targets = chooseTargets(request, own, context)
  const written: WrittenPackage[] = []
  for (const target of targets) {
    const name = nameForTarget(request, target, targets.length > 1)
    await using own = packagingFor(target, context)
    const modules = await collect(config, base, target, own)
    const alone = targets.length === 1 || name !== request.name
    written.push({ name, target, ...(await write(modules, { name, target, alone }, request, own)) })
  }
  return withIndex(request, written, context)
}

/** Several images of a registry get an index under the name that was asked for. */
export async function withIndex<
  Written extends { readonly name: string; readonly digest: string; readonly image?: StoredImage },
>(
  { name, publish }: { readonly name: string; readonly publish: boolean },
  written: readonly Written[],
  { ways }: PackagingContext,
): Promise<Written[]> {
  const images = written.flatMap(({ image }) => (image ? [image] : []))
  const [first] = written
  if (!publish || images.length < 2 || !first) return [...written]
  const { digest } = await ways.registries.store(parseReference(name)).writeIndex(images, name)
  const apart = written.filter(each => each.name !== name)
  return [...apart, { ...first, name, digest }]
}

async function readConfig(request: PackageRequest, { options }: PackagingContext) {
  if (request.config === undefined) {
    const config: PackageConfig = {
      kind: 'buildpack',
      uri: request.path ?? '.',
      dependencies: [],
      targets: [],
    }
    return { config, base: options.workingDirectory }
  }
  if (request.path !== undefined)
    throw packageWrong(
      request.name,
      'both --config and --path are given',
      'Say in package.toml where the buildpack is, or leave --config out.',
    )
  const file = resolve(options.workingDirectory, request.config)
  const text = await readIfExists(file)
  if (text === undefined)
    throw packageWrong(request.name, `there is no ${request.config}`, 'Check the path given with --config.')
  return { config: parseInput(() => parsePackageConfig(text, request.config as string)), base: dirname(file) }
}

async function mainFiles(
  { uri, kind }: PackageConfig,
  base: string,
  context: PackagingContext,
  target?: Target,
): Promise<ModuleFiles> {
  const view = target && ((directory: string) => platformView(directory, target, `${kind}.toml`))
  const files = await locateFiles(uri, base, context, view)
  if (files) return files
  throw packageWrong(
    uri,
    'it is a buildpackage already',
    'Copy it with slipway copy, or package what it is made of.',
  )
}

/** The main module, then all that belongs to it. */
async function collect(
  config: PackageConfig,
  base: string,
  target: Target,
  context: PackagingContext,
): Promise<readonly PackageModule[]> {
  const main = await rootModule(await mainFiles(config, base, context, target), config.kind)
  const found = new Map<string, PackageModule>()
  for (const place of config.dependencies)
    for (const module of allOf(await locateModules(place, base, 'buildpack', context)))
      found.set(fullName(module.info), module)
  const modules = [main, ...found.values()]
  if (config.kind === 'buildpack') checkReferences(main, modules)
  return modules
}

/** Every buildpack that an order names has to be there, with its version, and all that is there has to be named by one. */
function checkReferences(main: PackageModule, modules: readonly PackageModule[]): void {
  const name = fullName(main.info)
  const present = new Set(modules.slice(1).map(({ info }) => fullName(info)))
  const named = new Set<string>()
  for (const { info, about } of modules) {
    for (const entry of about.order.flat()) {
      const wanted = fullName(entry)
      if (entry.version === undefined)
        throw packageWrong(
          name,
          `the order of ${fullName(info)} names ${entry.id} without a version`,
          'Add it.',
        )
      if (!present.has(wanted))
        throw packageWrong(
          name,
          `the order of ${fullName(info)} names ${wanted}, which is not in the package`,
          'Add it to the [[dependencies]] of package.toml.',
        )
      named.add(wanted)
    }
  }
  const idle = [...present].find(each => !named.has(each))
  if (idle !== undefined)
    throw packageWrong(name, `no order names ${idle}`, 'Remove it from the [[dependencies]] of package.toml.')
}

async function write(
  modules: readonly PackageModule[],
  { name, target, alone }: { readonly name: string; readonly target: Target; readonly alone: boolean },
  request: PackageRequest,
  context: PackagingContext,
): Promise<{ digest: string; image?: StoredImage }> {
  const [main] = modules as [PackageModule]
  const stacks = main.kind === 'buildpack' ? commonStacks(modules) : []
  if (main.kind === 'buildpack' && stacks.length === 0)
    throw packageWrong(
      fullName(main.info),
      'its buildpacks have no stack in common',
      'Package buildpacks that work on the same one, or on any.',
    )
  const { tars, layers } = await arrange(modules, request)
  const store: ImageStore = request.publish
    ? context.ways.registries.store(parseReference(name))
    : context.store
  await using _lease = await store.lease()
  const empty = emptyImage(target.os ?? 'linux', target.arch ?? 'amd64')
  const { variant } = target
  const base: Image = {
    ...empty,
    config: { ...empty.config, created: CREATED, ...(variant !== undefined && { variant }) },
  }
  const image = label(await putLayers(base, tars, store), {
    ...request.labels,
    [BUILDPACKAGE_LABEL]: printBuildpackage({ ...main.info, stacks }),
    [main.kind === 'buildpack' ? BUILDPACK_LAYERS_LABEL : EXTENSION_LAYERS_LABEL]: printModuleLayers(layers),
  })
  if (request.format === 'image') {
    const stored = await writeOne(store, image, name, alone)
    return { digest: stored.digest, image: stored }
  }
  const file = resolve(context.options.workingDirectory, name)
  return { digest: (await writeLayoutArchive(image, file)).digest }
}

/** The layers of a package, by id and version, and what the label says of them; those that are flattened are one. */
async function arrange(modules: readonly PackageModule[], { flatten, flattenExclude }: PackageRequest) {
  const sorted = [...modules].sort((a, b) => (fullName(a.info) < fullName(b.info) ? -1 : 1))
  if (!flatten) {
    // What shares a layer in its own package goes on sharing it.
    const tars = new Map(sorted.map(({ tar, info }) => [tar.diffId, { tar, what: fullName(info) }]))
    return { tars: [...tars.values()], layers: sorted.map(({ about }) => about) }
  }
  const apart = new Set(flattenExclude)
  const joined = [...modules.slice(1), ...modules.slice(0, 1)].filter(
    ({ info }) => !apart.has(fullName(info)),
  )
  const tars: NamedTar[] = []
  const layers = []
  if (joined.length > 0) {
    const tar = await sharedTar(joined)
    tars.push({ tar, what: joined.map(({ info }) => fullName(info)).join(', ') })
    layers.push(...joined.map(({ about }) => ({ ...about, layerDiffId: tar.diffId })))
  }
  for (const module of sorted.filter(each => !joined.includes(each))) {
    const tar = await ownTar(module, modules)
    tars.push({ tar, what: fullName(module.info) })
    layers.push({ ...module.about, layerDiffId: tar.diffId })
  }
  return { tars, layers }
}
