import {
  BUILDER_LABEL,
  BUILDPACK_LAYERS_LABEL,
  type BuilderConfig,
  type BuilderMetadata,
  EXTENSION_LAYERS_LABEL,
  EXTENSION_ORDER_LABEL,
  fullName,
  MIXINS_LABEL,
  type ModuleLayer,
  ORDER_LABEL,
  printBuilderMetadata,
  printModuleLayers,
  printOrderLabel,
} from '#cnb'
import { configure, type Image, type ImageStore, label, labelsOf } from '#oci'
import { VERSION } from '../version.ts'
import { sortedBy } from './blob.ts'
import type { BuilderBase } from './builder-base.ts'
import { checkModules } from './builder-checks.ts'
import type { BuilderParts } from './builder-create.ts'
import { builderDocuments, directoriesTar, lifecycleTar, resolveOrder } from './builder-layers.ts'
import type { BuilderLifecycle } from './builder-lifecycle.ts'
import type { PackageModule } from './module.ts'
import { builderWrong } from './problems.ts'
import { type NamedTar, putLayers } from './put-layers.ts'
import { ownTar, sharedTar } from './shared-layers.ts'

/** What a builder is put together from. */
export interface BuilderIngredients {
  readonly name: string
  readonly parts: BuilderParts
  readonly base: BuilderBase
  readonly lifecycle: BuilderLifecycle
  readonly labels: Readonly<Record<string, string>>
  readonly flatten: readonly string[]
  /** Where its layers go. */
  readonly store: ImageStore
}

/**
 * The image of a builder, in pack's order of layers: directories, lifecycle, buildpacks by id and version (those that share a layer first), extensions, order.toml,
 * system.toml, stack.toml, run.toml, variables. Throws a `Problem` (`BUILDER_CONFIG_INVALID`).
 */
export async function builderImage(ingredients: BuilderIngredients): Promise<Image> {
  const { name, parts, base, lifecycle, store } = ingredients
  const { config } = parts
  checkModules(name, parts, base, lifecycle.descriptor)
  const resolved = {
    order: resolveOrder(name, config.order, parts.buildpacks, 'buildpack'),
    extensions: resolveOrder(name, config.orderExtensions, parts.extensions, 'extension'),
  }
  const buildpacks = await arrange(name, parts.buildpacks, ingredients.flatten)
  const extensions = await arrange(name, parts.extensions, [])
  const tars = [
    await directoriesTar(base.owner),
    await lifecycleTar(lifecycle),
    ...buildpacks.tars,
    ...extensions.tars,
    ...(await builderDocuments(config, resolved)),
  ]
  const labels = {
    ...ingredients.lifecycle.labels,
    ...ingredients.labels,
    [BUILDPACK_LAYERS_LABEL]: printModuleLayers(buildpacks.layers),
    [EXTENSION_LAYERS_LABEL]: printModuleLayers(extensions.layers),
    [ORDER_LABEL]: printOrderLabel(config.order),
    [EXTENSION_ORDER_LABEL]: printOrderLabel(config.orderExtensions),
    [BUILDER_LABEL]: printBuilderMetadata(metadataOf(parts, lifecycle)),
    [MIXINS_LABEL]: labelsOf(base.image.config)[MIXINS_LABEL] ?? 'null',
    ...systemLabel(config),
  }
  const image = await putLayers(base.image, tars, store)
  return label(configure(image, { WorkingDir: '/layers' }), labels)
}

function metadataOf(
  { config, buildpacks, extensions }: BuilderParts,
  { descriptor }: BuilderLifecycle,
): BuilderMetadata {
  const [first] = config.runImages
  return {
    description: config.description,
    buildpacks: buildpacks.map(({ info }) => info),
    extensions: extensions.map(({ info }) => info),
    lifecycle: descriptor,
    createdBy: { name: 'slipway', version: VERSION },
    runImages: config.runImages,
    ...(config.stackId !== undefined && first && { stackRunImage: first }),
  }
}

/** Set where there are system buildpacks. */
function systemLabel({ system }: BuilderConfig): Record<string, string> {
  if (system.pre.length + system.post.length === 0) return {}
  const list = (entries: typeof system.pre) => ({
    buildpacks: entries.map(({ id, version, optional }) => ({
      id,
      ...(version !== undefined && { version }),
      ...(optional && { optional }),
    })),
  })
  return {
    'io.buildpacks.buildpack.system': JSON.stringify({ pre: list(system.pre), post: list(system.post) }),
  }
}

/** The layers of modules, and what the label says of them. */
async function arrange(name: string, modules: readonly PackageModule[], flatten: readonly string[]) {
  const groups = flattenGroups(name, modules, flatten)
  const tars: NamedTar[] = []
  const layers: ModuleLayer[] = []
  for (const group of sortedBy(groups, each => sortedBy(each.map(nameOf), text => text)[0] ?? '')) {
    const tar = await sharedTar(group)
    tars.push({ tar, what: group.map(nameOf).join(', ') })
    layers.push(...group.map(({ about }) => ({ ...about, layerDiffId: tar.diffId })))
  }
  const apart = modules.filter(module => !groups.some(group => group.includes(module)))
  for (const module of sortedBy(apart, nameOf)) {
    const tar = await ownTar(module, modules)
    tars.push({ tar, what: nameOf(module) })
    layers.push({ ...module.about, layerDiffId: tar.diffId })
  }
  return { tars, layers }
}

function flattenGroups(name: string, modules: readonly PackageModule[], flatten: readonly string[]) {
  return flatten.map(text => {
    const wanted = text.split(',').map(each => each.trim())
    for (const each of wanted) {
      if (!/^[^@]+@[^@]+$/.test(each))
        throw builderWrong(name, `--flatten has ${JSON.stringify(each)}`, 'Name buildpacks as ID@VERSION.')
      if (!modules.some(module => nameOf(module) === each))
        throw builderWrong(name, `--flatten names ${each}, which it does not have`, 'Correct the name.')
    }
    return modules.filter(module => wanted.includes(nameOf(module)))
  })
}

function nameOf({ info }: PackageModule): string {
  return fullName(info)
}
