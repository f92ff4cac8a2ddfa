import * as v from 'valibot'
import { byBytes, check, type Digest, isDigest, parseJson } from '#std'
import type { BuildpackDescriptor, Stack } from './buildpack.ts'
import { labelledOrder, labelledOrderSchema, orderTable } from './buildpackage-order.ts'
import { withoutEmpty, withoutUndefined } from './document.ts'
import { printGoJson } from './go-json.ts'
import { type BuildpackId, parseBuildpackId, parseVersion } from './ids.ts'
import type { Order } from './order.ts'
import type { Distro, Target } from './target.ts'

/** Labels of builders and buildpackages that say which layer holds which buildpack or extension (CNB distribution specification). */
export const BUILDPACK_LAYERS_LABEL = 'io.buildpacks.buildpack.layers'
export const EXTENSION_LAYERS_LABEL = 'io.buildpacks.extension.layers'

/** A buildpack or extension in an image, and the layer that it is in; several may share one. */
export interface ModuleLayer {
  readonly id: BuildpackId
  readonly version: string
  /** As written: an image may hold buildpacks for APIs that slipway does not speak. */
  readonly api: string
  readonly stacks: readonly Stack[]
  readonly targets: readonly Target[]
  /** Not empty for a composite buildpack. */
  readonly order: Order
  readonly layerDiffId: Digest
  readonly homepage?: string
  readonly name?: string
}

const text = v.nullish(v.string(), '')
const distro = v.object({ name: text, version: text })
const target = v.object({ os: text, arch: text, variant: text, distros: v.nullish(v.array(distro), []) })
const stack = v.object({ id: v.string(), mixins: v.nullish(v.array(v.string()), []) })
const info = v.object({
  api: text,
  stacks: v.nullish(v.array(stack), []),
  targets: v.nullish(v.array(target), []),
  order: labelledOrderSchema,
  layerDiffID: v.custom<Digest>(
    value => typeof value === 'string' && isDigest(value),
    'must be a sha256 digest',
  ),
  homepage: text,
  name: text,
})
const label = v.nullish(v.record(v.string(), v.nullish(v.record(v.string(), info), {})), {})

/**
 * Reads `io.buildpacks.buildpack.layers` or `io.buildpacks.extension.layers`, sorted by id and version.
 * Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`, `BUILDPACK_ID_INVALID`, `BUILDPACK_VERSION_INVALID`).
 */
export function parseModuleLayers(json: string, source: string): readonly ModuleLayer[] {
  const found = Object.entries(check(label, parseJson(json, source), source)).flatMap(([id, versions]) =>
    Object.entries(versions).map(
      ([version, each]): ModuleLayer => ({
        id: parseBuildpackId(id, source),
        version: parseVersion(version, source),
        api: each.api,
        stacks: each.stacks,
        targets: each.targets.map(targetFrom),
        order: labelledOrder(each.order, source),
        layerDiffId: each.layerDiffID,
        ...filled({ homepage: each.homepage, name: each.name }),
      }),
    ),
  )
  return sorted(found)
}

/** Prints a layers label in pack's order of keys; equal modules give equal text, however they are ordered. */
export function printModuleLayers(modules: readonly ModuleLayer[]): string {
  const all: Record<string, Record<string, unknown>> = {}
  for (const each of sorted(modules)) {
    const versions = all[each.id] ?? {}
    versions[each.version] = {
      api: each.api,
      ...withoutEmpty({
        stacks: each.stacks.map(({ id, mixins }) => ({ id, ...withoutEmpty({ mixins }) })),
        targets: each.targets.map(targetTable),
        order: orderTable(each.order),
      }),
      layerDiffID: each.layerDiffId,
      ...withoutEmpty({ homepage: each.homepage, name: each.name }),
    }
    all[each.id] = versions
  }
  return printGoJson(all)
}

/** What a label says of a buildpack in a layer. */
export function moduleLayer(descriptor: BuildpackDescriptor, layerDiffId: Digest): ModuleLayer {
  const { id, version, api, stacks, targets, order, homepage, name } = descriptor
  return {
    id,
    version,
    api,
    stacks,
    targets,
    order: order ?? [],
    layerDiffId,
    ...withoutUndefined({ homepage, name }),
  }
}

/** A target as labels hold it. */
export function targetTable({ os, arch, variant, distros }: Target): Record<string, unknown> {
  return {
    os: os ?? '',
    arch: arch ?? '',
    ...withoutEmpty({
      variant,
      distros: distros.map(({ name, version }) => withoutEmpty({ name, version })),
    }),
  }
}

function targetFrom({ os, arch, variant, distros }: v.InferOutput<typeof target>): Target {
  return { ...filled({ os, arch, variant }), distros: distros.map(each => filled(each) as Distro) }
}

function filled(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== ''))
}

function sorted(modules: readonly ModuleLayer[]): ModuleLayer[] {
  return modules.toSorted((a, b) => byBytes(a.id, b.id) || byBytes(a.version, b.version))
}
