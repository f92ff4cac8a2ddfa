import * as v from 'valibot'
import { byBytes, check, parseJson } from '#std'
import { freeTable, withoutUndefined } from './document.ts'
import { goMap, printGoJson } from './go-json.ts'
import type { LayerTypes } from './layer.ts'

/** A layer that a build exported or cached: its diffID, what it is for, and its metadata. */
export interface LayerRecord extends LayerTypes {
  /** Empty where a layer has no contents of its own. */
  readonly sha: string
  readonly data?: Readonly<Record<string, unknown>>
}

/** The layers of one buildpack. */
export interface BuildpackLayers {
  /** The buildpack's id. */
  readonly key: string
  readonly version: string
  /** By layer name. */
  readonly layers: ReadonlyMap<string, LayerRecord>
  readonly store?: { readonly metadata: Readonly<Record<string, unknown>> }
}

/** The run image by the names under which newer ones are found. */
export interface RunImageNames {
  readonly image?: string
  readonly mirrors?: readonly string[]
}

/** What `io.buildpacks.lifecycle.metadata` says of an image; an absent layer has an empty `sha`. */
export interface LifecycleMetadata {
  readonly app: readonly { readonly sha: string }[]
  readonly sbom?: { readonly sha: string }
  readonly buildpacks: readonly BuildpackLayers[]
  readonly config: { readonly sha: string }
  readonly launcher: { readonly sha: string }
  readonly processTypes: { readonly sha: string }
  readonly runImage: RunImageNames & { readonly topLayer: string; readonly reference: string }
  /** The names once more, for platforms from before Platform API 0.12. */
  readonly stack?: { readonly runImage: RunImageNames }
  readonly execEnv?: string
}

/** What is known of an image that was never built before. */
export const NO_METADATA: LifecycleMetadata = {
  app: [],
  buildpacks: [],
  config: { sha: '' },
  launcher: { sha: '' },
  processTypes: { sha: '' },
  runImage: { topLayer: '', reference: '' },
}

const text = v.nullish(v.string(), '')
const flag = v.nullish(v.boolean(), false)
const sha = v.nullish(v.object({ sha: text }), () => ({ sha: '' }))
const names = { image: v.nullish(v.string()), mirrors: v.nullish(v.array(v.string())) }
const layer = v.object({ sha: text, data: v.nullish(freeTable), build: flag, launch: flag, cache: flag })
const buildpack = v.object({
  key: v.string(),
  version: text,
  layers: v.nullish(freeTable, () => ({})),
  store: v.nullish(v.object({ metadata: v.nullish(freeTable, () => ({})) })),
})
const label = v.object({
  app: v.optional(v.unknown()),
  sbom: v.nullish(v.object({ sha: text })),
  buildpacks: v.nullish(v.array(buildpack), () => []),
  config: sha,
  launcher: sha,
  'process-types': sha,
  runImage: v.nullish(v.object({ topLayer: text, reference: text, ...names }), () => ({
    topLayer: '',
    reference: '',
  })),
  stack: v.nullish(v.object({ runImage: v.nullish(v.object(names), () => ({})) })),
  'exec-env': v.nullish(v.string()),
})

/**
 * Reads the label. An `app` that is no list (old lifecycles wrote one digest) gives no app layers. Throws a `Problem`
 * (`JSON_MALFORMED`, `DOCUMENT_INVALID`).
 */
export function parseLifecycleMetadata(json: string, source: string): LifecycleMetadata {
  const parsed = check(label, parseJson(json, source), source)
  const app = v.safeParse(v.array(v.object({ sha: text })), parsed.app)
  return {
    app: app.success ? app.output : [],
    ...(parsed.sbom && { sbom: parsed.sbom }),
    buildpacks: parsed.buildpacks.map(each => buildpackLayersFrom(each, source)),
    config: parsed.config,
    launcher: parsed.launcher,
    processTypes: parsed['process-types'],
    runImage: withoutNulls(parsed.runImage),
    ...(parsed.stack && { stack: { runImage: withoutNulls(parsed.stack.runImage) } }),
    ...(parsed['exec-env'] && { execEnv: parsed['exec-env'] }),
  }
}

/** Prints the label in the reference's order of keys. Equal metadata gives equal text. */
export function printLifecycleMetadata(metadata: LifecycleMetadata): string {
  const { app, sbom, buildpacks, config, launcher, processTypes, runImage, stack, execEnv } = metadata
  return printGoJson({
    app: app.map(({ sha: digest }) => ({ sha: digest })),
    ...(sbom && { sbom: { sha: sbom.sha } }),
    buildpacks: buildpacks.map(buildpackLayersTable),
    config: { sha: config.sha },
    launcher: { sha: launcher.sha },
    'process-types': { sha: processTypes.sha },
    runImage: { topLayer: runImage.topLayer, reference: runImage.reference, ...namesTable(runImage) },
    ...(stack && { stack: { runImage: namesTable(stack.runImage) } }),
    ...(execEnv && { 'exec-env': execEnv }),
  })
}

/** The `buildpacks` of the label and of cache metadata, as JSON spells them. */
export function buildpackLayersTable({
  key,
  version,
  layers,
  store,
}: BuildpackLayers): Record<string, unknown> {
  const sorted = [...layers].toSorted(([a], [b]) => byBytes(a, b))
  return {
    key,
    version,
    layers: Object.fromEntries(
      sorted.map(([name, { sha: digest, data, build, launch, cache }]) => [
        name,
        { sha: digest, data: data === undefined ? null : goMap(data), build, launch, cache },
      ]),
    ),
    ...(store && { store: { metadata: goMap(store.metadata) } }),
  }
}

/** What the metadata says of a buildpack, whatever its version. */
export function layersOf(metadata: { readonly buildpacks: readonly BuildpackLayers[] }, id: string) {
  return metadata.buildpacks.find(({ key }) => key === id)
}

/** `buildpacks` of the label and of cache metadata. */
export const buildpackLayersSchema = buildpack

/** Checks the layers of one parsed buildpack. */
export function buildpackLayersFrom(each: v.InferOutput<typeof buildpack>, source: string): BuildpackLayers {
  const layers = Object.entries(each.layers).map(([name, value]): [string, LayerRecord] => {
    const { data, ...record } = check(layer, value, `${source} (layer ${each.key}:${name})`)
    return [name, { ...record, ...(data && { data }) }]
  })
  return {
    key: each.key,
    version: each.version,
    layers: new Map(layers),
    ...(each.store && { store: each.store }),
  }
}

function namesTable({ image, mirrors }: RunImageNames) {
  return { ...(image && { image }), ...(mirrors && mirrors.length > 0 && { mirrors }) }
}

function withoutNulls<
  Names extends { image?: string | null | undefined; mirrors?: string[] | null | undefined },
>(value: Names) {
  const { image, mirrors, ...rest } = value
  return { ...rest, ...withoutUndefined({ image: image ?? undefined, mirrors: mirrors ?? undefined }) }
}
