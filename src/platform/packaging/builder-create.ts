import { dirname, resolve } from 'node:path'
import {
  type BuilderConfig,
  fullName,
  type ModulePlace,
  parseBuilderConfig,
  type RunImage,
  type Target,
} from '#cnb'
import { type Image, type ImageStore, parseReference, type StoredImage } from '#oci'
import { Problem } from '#std'
import { parseInput, readInput } from '../read-input.ts'
import { sortedBy } from './blob.ts'
import { buildImageOf } from './builder-base.ts'
import { builderImage } from './builder-image.ts'
import { chooseLifecycle } from './builder-lifecycle.ts'
import { type PackagingContext, packagingFor } from './context.ts'
import { locateModules } from './locate.ts'
import type { PackageModule } from './module.ts'
import { ownBuilder } from './own-builder.ts'
import { withIndex } from './package.ts'
import { builderWrong } from './problems.ts'
import { writeOne } from './put-layers.ts'
import { chooseTargets, nameForTarget } from './targets.ts'

/** What a builder is made from and written to. */
export interface BuilderRequest {
  /** A name in the store, or with `publish` a reference. */
  readonly name: string
  readonly publish: boolean
  /** A builder.toml; without one slipway's own builder is made. */
  readonly config?: string | undefined
  /** The base of slipway's own builder, such as `build:base-bookworm`. */
  readonly base?: string | undefined
  /** The name of the run image of slipway's own builder. */
  readonly runImage?: string | undefined
  /** Variables of every build that nobody else sets, for slipway's own builder: `NAME` and value. */
  readonly variables: ReadonlyMap<string, string>
  readonly targets: readonly Target[]
  readonly labels: Readonly<Record<string, string>>
  /** Lists of `id@version`, divided by commas, that share a layer each. */
  readonly flatten: readonly string[]
  readonly appendSuffix: boolean
}

/** One builder that was written. */
export interface WrittenBuilder {
  readonly name: string
  readonly digest: string
  readonly target: Target
  readonly runImages: readonly RunImage[]
  readonly image: StoredImage
}

/** What goes into a builder, found. */
export interface BuilderParts {
  readonly config: BuilderConfig
  readonly buildpacks: readonly PackageModule[]
  readonly extensions: readonly PackageModule[]
}

/**
 * Makes a builder image (CNB platform specification, "Builder") as pack does, from a builder.toml or of slipway's own buildpacks: one for each target. Equal input
 * gives equal bytes. Throws a `Problem` (`BUILDER_CONFIG_INVALID`, `MODULE_INVALID`, `LIFECYCLE_INVALID`, …).
 */
export async function createBuilder(
  request: BuilderRequest,
  context: PackagingContext,
): Promise<WrittenBuilder[]> {
  const own = request.base !== undefined || request.runImage !== undefined || request.variables.size > 0
  if (request.config !== undefined && own)
    throw builderWrong(
      request.name,
      '--base, --run-image and --env are about our own builder, and --config describes another',
      'Say it in the file: [build] image, [[run.images]] and [[build.env]].',
    )
  const read = request.config === undefined ? undefined : await readConfig(request.config, context)
  const targets = chooseTargets({ ...request, format: 'image' }, read?.config.targets ?? [], context)
  const written: WrittenBuilder[] = []
  for (const target of targets) {
    const name = nameForTarget({ ...request, format: 'image' }, target, targets.length > 1)
    await using ofTarget = packagingFor(target, context)
    const alone = targets.length === 1 || name !== request.name
    written.push(await createOne({ name, target, alone }, read, request, ofTarget))
  }
  return withIndex(request, written, context)
}

interface ReadConfig {
  readonly config: BuilderConfig
  readonly base: string
}

async function createOne(
  { name, target, alone }: { readonly name: string; readonly target: Target; readonly alone: boolean },
  read: ReadConfig | undefined,
  request: BuilderRequest,
  context: PackagingContext,
): Promise<WrittenBuilder> {
  const store: ImageStore = request.publish
    ? context.ways.registries.store(parseReference(name))
    : context.store
  await using _lease = await context.store.lease()
  const parts = read
    ? await locateAll(read, context)
    : await ownBuilder({ ...request, name, target, alone }, context)
  const { config } = parts
  const base = await buildImageOf(config.buildImage, target, context)
  const lifecycle = await chooseLifecycle(config.lifecycle, read?.base ?? '', base, context)
  await checkRunImages(config.runImages, request.publish, context)
  const image: Image = await builderImage({
    ...{ name, parts, base, lifecycle, store },
    labels: request.labels,
    flatten: request.flatten,
  })
  const stored = await writeOne(store, image, name, alone)
  return { name, digest: stored.digest, target, runImages: config.runImages, image: stored }
}

async function readConfig(file: string, { options, report }: PackagingContext): Promise<ReadConfig> {
  const path = resolve(options.workingDirectory, file)
  const text = await readInput(path)
  if (text === undefined)
    throw builderWrong(file, 'there is no such file', 'Check the path given with --config.')
  return { config: parseInput(() => parseBuilderConfig(text, file, report)), base: dirname(path) }
}

async function locateAll({ config, base }: ReadConfig, context: PackagingContext): Promise<BuilderParts> {
  const collect = async (places: readonly ModulePlace[], kind: 'buildpack' | 'extension') => {
    const found: PackageModule[] = []
    for (const place of places) {
      const { main, dependencies } = await locateModules(place, base, kind, context)
      checkIdentity(main, place)
      found.push(main, ...sortedBy(dependencies, ({ info }) => `${info.id}@${info.version}`))
    }
    // What is named twice is one; the last one counts, in the place of the first.
    return [...new Map(found.map(module => [fullName(module.info), module])).values()]
  }
  return {
    config,
    buildpacks: await collect(config.buildpacks, 'buildpack'),
    extensions: await collect(config.extensions, 'extension'),
  }
}

function checkIdentity({ kind, info }: PackageModule, { id, version, uri, image }: ModulePlace): void {
  const place = uri ?? image ?? ''
  if ((id ?? info.id) !== info.id || (version ?? info.version) !== info.version)
    throw builderWrong(
      place,
      `the ${kind} there is ${fullName(info)}, and builder.toml says ${id ?? info.id}${version ? `@${version}` : ''}`,
      'Correct id and version in builder.toml, or leave them out.',
    )
}

/** Says which run images cannot be reached from here; builds may be elsewhere, so that is no failure. */
async function checkRunImages(
  images: readonly RunImage[],
  publish: boolean,
  { store, ways, report, options }: PackagingContext,
): Promise<void> {
  for (const name of images.flatMap(({ image, mirrors }) => [image, ...mirrors])) {
    try {
      if (!publish && (await store.resolve(name))) continue
      if (options.pullPolicy === 'never' && !publish) throw undefined
      if (await ways.registries.store(parseReference(name)).resolve(name)) continue
    } catch (error) {
      if (error !== undefined && !(error instanceof Problem)) throw error
    }
    report.warn(`The run image ${name} cannot be reached from here`)
  }
}
