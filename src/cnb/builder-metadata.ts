import * as v from 'valibot'
import { check, parseJson } from '#std'
import { type ModuleInfo, moduleInfoFrom, moduleInfoSchema, moduleInfoTable } from './buildpackage-module.ts'
import { printGoJson } from './go-json.ts'
import { type LifecycleDescriptor, oldestApis } from './lifecycle-descriptor.ts'
import { documentInvalid } from './problems.ts'
import type { RunImage } from './run.ts'

/** The label that makes an image a builder. */
export const BUILDER_LABEL = 'io.buildpacks.builder.metadata'
/** Packages of a base image, as stacks name them. */
export const MIXINS_LABEL = 'io.buildpacks.stack.mixins'

/** What `io.buildpacks.builder.metadata` says. */
export interface BuilderMetadata {
  readonly description: string
  readonly buildpacks: readonly ModuleInfo[]
  readonly extensions: readonly ModuleInfo[]
  readonly lifecycle: LifecycleDescriptor
  readonly createdBy: { readonly name: string; readonly version: string }
  /** Run images in the order of preference, the default one first. */
  readonly runImages: readonly RunImage[]
  /** Set where the builder has a stack, as builders once had. */
  readonly stackRunImage?: RunImage
}

const text = v.nullish(v.string(), '')
const texts = v.nullish(v.array(v.string()), [])
const runImage = v.object({ image: text, mirrors: texts })
const apis = v.nullish(v.object({ supported: texts, deprecated: texts }), { supported: [], deprecated: [] })
const modules = v.nullish(v.array(moduleInfoSchema), [])
const label = v.object({
  description: text,
  buildpacks: modules,
  extensions: modules,
  stack: v.nullish(v.object({ runImage: v.nullish(runImage) })),
  lifecycle: v.object({
    version: text,
    api: v.nullish(v.object({ buildpack: text, platform: text })),
    apis: v.nullish(v.object({ buildpack: apis, platform: apis })),
  }),
  createdBy: v.nullish(v.object({ name: text, version: text }), { name: '', version: '' }),
  images: v.nullish(v.array(runImage), []),
})

/**
 * Reads `io.buildpacks.builder.metadata`. Like pack it refuses a builder that does not say which lifecycle it has or which APIs that
 * speaks. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`, `BUILDPACK_ID_INVALID`, `BUILDPACK_VERSION_INVALID`).
 */
export function parseBuilderMetadata(json: string, source: string): BuilderMetadata {
  const found = check(label, parseJson(json, source), source)
  const stackRunImage = found.stack?.runImage
  return {
    description: found.description,
    buildpacks: found.buildpacks.map(each => moduleInfoFrom(each, source)),
    extensions: found.extensions.map(each => moduleInfoFrom(each, source)),
    lifecycle: lifecycleFrom(found.lifecycle, source),
    createdBy: found.createdBy,
    runImages: found.images.filter(({ image }) => image !== ''),
    ...(stackRunImage && stackRunImage.image !== '' && { stackRunImage }),
  }
}

/** The run images of a builder, the default one first: those of its own list, then the one of its stack. */
export function runImagesOf({ runImages, stackRunImage }: BuilderMetadata): readonly RunImage[] {
  const another = stackRunImage && runImages.every(({ image }) => image !== stackRunImage.image)
  return another ? [...runImages, stackRunImage] : runImages
}

/** Prints the label in pack's order of keys. */
export function printBuilderMetadata(metadata: BuilderMetadata): string {
  const { description, buildpacks, extensions, lifecycle, createdBy, runImages, stackRunImage } = metadata
  const { version, apis: spoken } = lifecycle
  return printGoJson({
    description,
    buildpacks: orNull(buildpacks.map(moduleInfoTable)),
    extensions: orNull(extensions.map(moduleInfoTable)),
    stack: { runImage: runImageTable(stackRunImage ?? { image: '', mirrors: [] }) },
    lifecycle: {
      version,
      api: oldestApis(spoken),
      apis: { buildpack: apiTable(spoken.buildpack), platform: apiTable(spoken.platform) },
    },
    createdBy: { name: createdBy.name, version: createdBy.version },
    images: orNull(runImages.map(runImageTable)),
  })
}

function lifecycleFrom(
  { version, api, apis: lists }: v.InferOutput<typeof label>['lifecycle'],
  source: string,
): LifecycleDescriptor {
  const of = (kind: 'buildpack' | 'platform') => {
    const found = lists?.[kind] ?? { supported: [], deprecated: [] }
    const one = api?.[kind]
    return found.supported.length > 0 || !one ? found : { supported: [one], deprecated: [] }
  }
  const complete = { buildpack: of('buildpack'), platform: of('platform') }
  if (version === '') throw documentInvalid(source, 'it does not say which lifecycle it has', REMAKE)
  for (const [kind, { supported }] of Object.entries(complete)) {
    if (supported.length === 0)
      throw documentInvalid(source, `it does not say which versions of the ${kind} API it speaks`, REMAKE)
  }
  return { version, apis: complete }
}

const REMAKE = 'Have the builder made anew by its maker.'

function apiTable({ deprecated, supported }: LifecycleDescriptor['apis']['buildpack']) {
  return { deprecated, supported }
}

function runImageTable({ image, mirrors }: RunImage) {
  return { image, mirrors: orNull(mirrors) }
}

function orNull<Item>(list: readonly Item[]): readonly Item[] | null {
  return list.length > 0 ? list : null
}
