import * as v from 'valibot'
import { type Report, silent } from '#std'
import {
  moduleSchema,
  optionalText,
  strictOrderSchema,
  strictTable,
  strictTargetsSchema,
} from './builder-config-schema.ts'
import { type BuildVariable, buildVariables, variablesSchema } from './builder-environment.ts'
import { targetFromToml } from './builder-target.ts'
import { optionalStrings, readDocument, withoutUndefined } from './document.ts'
import { type Order, orderFrom } from './order.ts'
import { documentInvalid } from './problems.ts'
import type { RunImage } from './run.ts'
import type { SystemBuildpacks } from './system.ts'
import type { Target } from './target.ts'

/** A buildpack or extension that a builder is to have: where it is, and what it has to be. */
export interface ModulePlace {
  readonly id?: string
  readonly version?: string
  /** A locator; one of `uri` and `image` is there. */
  readonly uri?: string
  readonly image?: string
}

/** What a builder.toml says (CNB, "builder.toml"; as pack reads it). */
export interface BuilderConfig {
  readonly description: string
  readonly buildpacks: readonly ModulePlace[]
  readonly extensions: readonly ModulePlace[]
  readonly order: Order
  readonly orderExtensions: Order
  /** The image to build in. */
  readonly buildImage: string
  readonly buildVariables: readonly BuildVariable[]
  readonly runImages: readonly RunImage[]
  /** Set where the builder is of a stack: both of its images have to be of that one. */
  readonly stackId?: string
  readonly lifecycle: { readonly version?: string; readonly uri?: string }
  readonly targets: readonly Target[]
  readonly system: SystemBuildpacks
}

const around = v.optional(
  strictTable({
    buildpacks: v.optional(
      v.array(
        strictTable({ id: v.string(), version: optionalText, optional: v.optional(v.boolean(), false) }),
      ),
      () => [],
    ),
  }),
  () => ({ buildpacks: [] }),
)
const modules = v.optional(v.array(moduleSchema), () => [])
const document = strictTable({
  description: v.optional(v.string(), ''),
  buildpacks: modules,
  extensions: modules,
  order: strictOrderSchema,
  'order-extensions': strictOrderSchema,
  stack: v.optional(
    strictTable({
      id: optionalText,
      'build-image': optionalText,
      'run-image': optionalText,
      'run-image-mirrors': optionalStrings,
    }),
  ),
  lifecycle: v.optional(strictTable({ version: optionalText, uri: optionalText }), () => ({})),
  run: v.optional(
    strictTable({
      images: v.optional(v.array(strictTable({ image: v.string(), mirrors: optionalStrings })), () => []),
    }),
    () => ({ images: [] }),
  ),
  build: v.optional(strictTable({ image: optionalText, env: variablesSchema }), () => ({ env: [] })),
  targets: strictTargetsSchema,
  system: v.optional(strictTable({ pre: around, post: around })),
})

/**
 * Reads a builder.toml. A key that is not known is an error, with its line; `[stack]` counts for what `[build]` and `[run]` leave out.
 * Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, `BUILDPACK_ID_INVALID`, `BUILDPACK_VERSION_INVALID`).
 */
export function parseBuilderConfig(toml: string, file: string, report: Report = silent): BuilderConfig {
  const found = readDocument(document, toml, file)
  const { description, stack, lifecycle, run, build, targets, system } = found
  if (found.order.length === 0) report.warn(`${file} has no [[order]]: builds have to name their buildpacks`)
  if (lifecycle.version !== undefined && lifecycle.uri !== undefined)
    throw documentInvalid(file, '[lifecycle] has both "version" and "uri"', 'Keep one of them.')
  const entries = (list: { id: string; version?: string | undefined; optional: boolean }[]) =>
    orderFrom([{ group: list.map(each => ({ ...each, 'exec-env': [] })) }], file)[0] ?? []
  return {
    description,
    buildpacks: placesOf(found.buildpacks, 'buildpacks', file),
    extensions: placesOf(found.extensions, 'extensions', file),
    order: orderFrom(found.order, file),
    orderExtensions: orderFrom(found['order-extensions'], file),
    buildImage: oneOf(build.image, stack?.['build-image'], file),
    buildVariables: buildVariables(build.env, file, report),
    runImages: runImagesFrom(run.images, stack, file),
    ...(stack?.id && { stackId: stack.id }),
    lifecycle: withoutUndefined(lifecycle),
    targets: targets.map(targetFromToml),
    system: { pre: entries(system?.pre.buildpacks ?? []), post: entries(system?.post.buildpacks ?? []) },
  }
}

function placesOf(
  found: readonly v.InferOutput<typeof moduleSchema>[],
  table: string,
  file: string,
): ModulePlace[] {
  return found.map(({ id, version, uri, image }, index) => {
    if (!uri === !image) {
      const which = `[[${table}]] number ${index + 1}${id ? ` (${id})` : ''}`
      const why = uri ? 'has both "uri" and "image"' : 'has neither "uri" nor "image"'
      throw documentInvalid(file, `${which} ${why}`, 'Say with one of them where it is.')
    }
    return withoutUndefined({ id, version, uri: uri || undefined, image: image || undefined }) as ModulePlace
  })
}

function oneOf(image: string | undefined, ofStack: string | undefined, file: string): string {
  if (image && ofStack && image !== ofStack)
    throw documentInvalid(file, '[build] image and [stack] build-image differ', 'Keep [build] image.')
  const chosen = image || ofStack
  if (!chosen) throw documentInvalid(file, 'it names no image to build in', 'Add image = "…" below [build].')
  return chosen
}

function runImagesFrom(
  images: readonly RunImage[],
  stack: { 'run-image'?: string | undefined; 'run-image-mirrors': string[] } | undefined,
  file: string,
): readonly RunImage[] {
  const ofStack = stack?.['run-image']
  if (images.length > 0) {
    if (ofStack && images[0]?.image !== ofStack)
      throw documentInvalid(file, '[[run.images]] and [stack] run-image differ', 'Keep [[run.images]].')
    if (images.some(({ image }) => image === ''))
      throw documentInvalid(file, 'a [[run.images]] names no image', 'Add image = "…" to it.')
    return images
  }
  if (!ofStack) throw documentInvalid(file, 'it names no run image', 'Add [[run.images]] with image = "…".')
  return [{ image: ofStack, mirrors: stack['run-image-mirrors'] }]
}
