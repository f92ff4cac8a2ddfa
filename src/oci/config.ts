import * as v from 'valibot'
import { check, type Digest, isDigest, parseExactJson } from '#std'

/** One line of an image's history (OCI image-spec config.md). */
export interface History {
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** How a container of the image runs. Keys that slipway does not know are kept. */
export interface RunConfig {
  readonly User?: string
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly ExposedPorts?: Readonly<Record<string, unknown>>
  readonly StopSignal?: string
  readonly [other: string]: unknown
}

/** An image configuration. Keys that slipway does not know are kept. */
export interface ImageConfig {
  readonly architecture: string
  readonly os: string
  readonly variant?: string
  readonly created?: string
  readonly author?: string
  readonly config?: RunConfig
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly History[]
  readonly [other: string]: unknown
}

const strings = v.nullish(v.array(v.string()))
const runConfig = v.looseObject({
  User: v.optional(v.string()),
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  WorkingDir: v.optional(v.string()),
  // A list would pass as a table with the keys 0, 1, 2.
  Labels: v.nullish(
    v.pipe(
      v.custom<object>(value => !Array.isArray(value), 'must be a table'),
      v.record(v.string(), v.string()),
    ),
  ),
})
const imageConfig = v.looseObject({
  architecture: v.string(),
  os: v.string(),
  config: v.nullish(runConfig),
  rootfs: v.object({
    type: v.literal('layers'),
    diff_ids: v.nullish(
      v.array(
        v.custom<Digest>(value => typeof value === 'string' && isDigest(value), 'must be a sha256 digest'),
      ),
      [],
    ),
  }),
  history: v.nullish(
    v.array(v.looseObject({ created_by: v.optional(v.string()), empty_layer: v.optional(v.boolean()) })),
  ),
})

/**
 * Reads an image configuration; keys keep their order, so that it prints as it was. Throws a `Problem` (`JSON_MALFORMED`,
 * `DOCUMENT_INVALID`).
 */
export function parseConfig(bytes: Uint8Array, source: string): ImageConfig {
  const value = parseExactJson(bytes, source)
  const { rootfs } = check(imageConfig, value, source)
  const found = withoutNulls(value as Record<string, unknown>)
  // An image without layers may have `null` for their list.
  return (rootfs.diff_ids.length > 0 ? found : { ...found, rootfs }) as unknown as ImageConfig
}

/** Docker writes `null` for empty lists and objects; absent says the same. */
function withoutNulls(value: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined)
  return Object.fromEntries(
    entries.map(([key, inner]) => [
      key,
      key === 'config' ? withoutNulls(inner as Record<string, unknown>) : inner,
    ]),
  )
}

/** The variables of a configuration as a map; a later entry of the same name wins. */
export function environmentOf(config: ImageConfig): Map<string, string> {
  const pairs = (config.config?.Env ?? []).map((entry): [string, string] => {
    const equals = entry.indexOf('=')
    return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
  })
  return new Map(pairs)
}

/** The labels of a configuration. */
export function labelsOf(config: ImageConfig): Readonly<Record<string, string>> {
  return config.config?.Labels ?? {}
}
