import * as v from 'valibot'
import { byBytes, check, parseToml, printToml } from '#std'
import { freeTable, withoutEmpty } from './document.ts'
import { withoutNulls } from './layer.ts'
import {
  type BuildpackLayers,
  type LifecycleMetadata,
  parseLifecycleMetadata,
  printLifecycleMetadata,
} from './lifecycle-metadata.ts'
import type { BaseTarget } from './target.ts'

/** What a run image is, with the id of its base. */
export interface RunTarget extends BaseTarget {
  readonly id?: string
}

/** The run image of a build. */
export interface AnalyzedRunImage {
  /** By digest. */
  readonly reference: string
  /** As it was asked for. */
  readonly image?: string
  readonly extend?: boolean
  readonly target: RunTarget
}

/** What analysis found (analyzed.toml). */
export interface Analyzed {
  /** The image that an earlier build made, by digest; empty where it was asked for and is not there. */
  readonly previousImage?: string
  readonly buildImage?: string
  readonly metadata: LifecycleMetadata
  readonly runImage: AnalyzedRunImage
}

const image = v.optional(v.object({ reference: v.optional(v.string(), '') }))
const text = v.optional(v.string(), '')
const target = v.object({
  id: text,
  os: text,
  arch: text,
  'arch-variant': text,
  variant: text,
  distro: v.optional(v.object({ name: text, version: text })),
})
const document = v.object({
  image,
  'build-image': image,
  metadata: v.optional(freeTable, () => ({})),
  'run-image': v.object({
    reference: v.string(),
    image: text,
    extend: v.optional(v.boolean(), false),
    target: v.optional(target, () => v.parse(target, {})),
  }),
})

/** Prints an analyzed.toml. */
export function printAnalyzed({ previousImage, buildImage, metadata, runImage }: Analyzed): string {
  return printToml({
    ...(previousImage !== undefined && { image: { reference: previousImage } }),
    ...(buildImage !== undefined && { 'build-image': { reference: buildImage } }),
    metadata: tomlFromLabel(metadata),
    'run-image': {
      reference: runImage.reference,
      ...withoutEmpty({ image: runImage.image }),
      ...(runImage.extend && { extend: true }),
      target: targetTable(runImage.target),
    },
  })
}

/** Reads an analyzed.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseAnalyzed(toml: string, file: string): Analyzed {
  const parsed = check(document, parseToml(toml, file), file, toml)
  const runImage = parsed['run-image']
  return {
    ...(parsed.image && { previousImage: parsed.image.reference }),
    ...(parsed['build-image'] && { buildImage: parsed['build-image'].reference }),
    metadata: parseLifecycleMetadata(JSON.stringify(labelFromToml(parsed.metadata)), file),
    runImage: {
      reference: runImage.reference,
      ...(runImage.image !== '' && { image: runImage.image }),
      ...(runImage.extend && { extend: true }),
      target: targetFrom(runImage.target),
    },
  }
}

/** TOML spells four keys of the label differently, and has no `null`. */
function tomlFromLabel(metadata: LifecycleMetadata): Record<string, unknown> {
  const { runImage, stack, ...label } = JSON.parse(printLifecycleMetadata(metadata))
  const { topLayer, ...names } = runImage
  return {
    ...label,
    ...(stack?.runImage && { stack: { 'run-image': stack.runImage } }),
    buildpacks: metadata.buildpacks.map(layersTable),
    'run-image': { 'top-layer': topLayer, ...names },
  }
}

function layersTable({ key, version, layers, store }: BuildpackLayers) {
  const sorted = [...layers].toSorted(([a], [b]) => byBytes(a, b))
  const tables = sorted.map(([name, { data, ...record }]) => [
    name,
    { ...record, ...(data && { metadata: withoutNulls(data) }) },
  ])
  return { key, version, layers: Object.fromEntries(tables), ...(store && { store: withoutNulls(store) }) }
}

function labelFromToml({
  'run-image': runImage,
  stack,
  buildpacks,
  ...label
}: Readonly<Record<string, unknown>>) {
  return {
    ...label,
    ...(isTable(stack) && { stack: renamed(stack, 'run-image', 'runImage') }),
    ...(Array.isArray(buildpacks) && { buildpacks: buildpacks.map(withDataKeys) }),
    ...(isTable(runImage) && { runImage: renamed(runImage, 'top-layer', 'topLayer') }),
  }
}

function withDataKeys(each: unknown): unknown {
  if (!isTable(each) || !isTable(each.layers)) return each
  const layers = Object.entries(each.layers)
  return {
    ...each,
    layers: Object.fromEntries(
      layers.map(([name, layer]) => [name, isTable(layer) ? renamed(layer, 'metadata', 'data') : layer]),
    ),
  }
}

function renamed(table: Record<string, unknown>, from: string, to: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key === from ? to : key, value]))
}

function targetTable({ id, os, arch, variant, distro }: RunTarget) {
  return {
    ...withoutEmpty({ id }),
    os,
    arch,
    ...withoutEmpty({ 'arch-variant': variant }),
    ...(distro && { distro }),
  }
}

function targetFrom(parsed: v.InferOutput<typeof target>): RunTarget {
  const variant = parsed['arch-variant'] || parsed.variant
  const { id, os, arch, distro } = parsed
  return { ...(id !== '' && { id }), os, arch, ...(variant !== '' && { variant }), ...(distro && { distro }) }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
