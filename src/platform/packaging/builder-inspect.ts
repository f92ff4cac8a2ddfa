import {
  BUILDER_LABEL,
  BUILDPACK_LAYERS_LABEL,
  type BuilderMetadata,
  EXTENSION_LAYERS_LABEL,
  EXTENSION_ORDER_LABEL,
  type ModuleLayer,
  ORDER_LABEL,
  type Order,
  parseBuilderMetadata,
  parseModuleLayers,
  parseOrderLabel,
} from '#cnb'
import { type Image, labelsOf } from '#oci'
import type { PackagingContext } from './context.ts'
import { moduleMissing, notPackaged } from './problems.ts'

/** What a builder says of itself. */
export interface InspectedBuilder {
  readonly name: string
  /** Absent where it is not in that place. */
  readonly remote?: BuilderFacts
  readonly local?: BuilderFacts
}

/** The labels of a builder, read. */
export interface BuilderFacts {
  readonly metadata: BuilderMetadata
  readonly stackId: string
  readonly created: string | undefined
  readonly order: Order
  readonly orderExtensions: Order
  readonly buildpacks: readonly ModuleLayer[]
  readonly extensions: readonly ModuleLayer[]
}

/** Reads what a builder says of itself, in the store and in a registry. Throws a `Problem` (`MODULE_MISSING`, `NOT_A_BUILDER`, or what a registry answers). */
export async function inspectBuilder(name: string, context: PackagingContext): Promise<InspectedBuilder> {
  const { remote, local } = await bothImages(name, context)
  return {
    name,
    ...(remote && { remote: factsOf(remote, name) }),
    ...(local && { local: factsOf(local, name) }),
  }
}

/** The image of a name in the store and in a registry; one of them is there. */
export async function bothImages(
  name: string,
  { image, options, store }: PackagingContext,
): Promise<{ readonly remote?: Image | undefined; readonly local?: Image | undefined }> {
  const there = /^(?:docker:\/{0,2}|docker-daemon:|docker-archive:|oci:)/.test(name)
  if (there) return name.startsWith('docker:') ? { remote: await image(name) } : { local: await image(name) }
  const local = await store.image(name)
  if (options.pullPolicy === 'never') {
    if (!local) throw moduleMissing(name)
    return { local }
  }
  try {
    return { local, remote: await image(`docker://${name}`) }
  } catch (error) {
    if (!local) throw error
    return { local }
  }
}

function factsOf(image: Image, name: string): BuilderFacts {
  const labels = labelsOf(image.config)
  const label = labels[BUILDER_LABEL]
  if (label === undefined) throw notPackaged(name, 'builder')
  const of = (key: string) => `the label ${key} of ${name}`
  const modules = (key: string) => parseModuleLayers(labels[key] ?? 'null', of(key))
  const order = (key: string) => parseOrderLabel(labels[key] ?? 'null', of(key))
  return {
    metadata: parseBuilderMetadata(label, of(BUILDER_LABEL)),
    stackId: labels['io.buildpacks.stack.id'] ?? '',
    created: image.config.created,
    order: order(ORDER_LABEL),
    orderExtensions: order(EXTENSION_ORDER_LABEL),
    buildpacks: modules(BUILDPACK_LAYERS_LABEL),
    extensions: modules(EXTENSION_LAYERS_LABEL),
  }
}
