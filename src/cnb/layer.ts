import * as v from 'valibot'
import { printToml } from '#std'
import { freeTable, readDocument } from './document.ts'
import { documentInvalid } from './problems.ts'

/** What a layer is for; all false means that it is ignored. */
export interface LayerTypes {
  readonly launch: boolean
  readonly build: boolean
  readonly cache: boolean
}

/** What a `<layer>.toml` says. Without `[metadata]` there is no `metadata`. */
export interface LayerDocument {
  readonly types: LayerTypes
  readonly metadata?: Readonly<Record<string, unknown>>
}

const flag = v.optional(v.boolean(), false)
const document = v.object({
  types: v.optional(v.object({ launch: flag, build: flag, cache: flag }), () => ({
    launch: false,
    build: false,
    cache: false,
  })),
  metadata: v.optional(freeTable),
  launch: v.optional(v.unknown()),
  build: v.optional(v.unknown()),
  cache: v.optional(v.unknown()),
})

/**
 * Reads a `<layer>.toml` (CNB buildpack specification, "Layer Content Metadata"). Throws a `Problem` (`TOML_MALFORMED`,
 * `DOCUMENT_INVALID`), also for the flags of old APIs that stood outside `[types]`.
 */
export function parseLayer(text: string, file: string): LayerDocument {
  const { types, metadata, ...old } = readDocument(document, text, file)
  const flags = Object.keys(old)
  if (flags.length > 0) {
    throw documentInvalid(
      file,
      `"${flags.join('", "')}" stands outside [types]`,
      'The buildpack has to write it below [types].',
    )
  }
  return { types, ...(metadata !== undefined && { metadata }) }
}

/** Prints a `<layer>.toml`. */
export function printLayer({ types, metadata }: LayerDocument): string {
  return printToml({ types, ...(metadata !== undefined && { metadata }) })
}

/**
 * Prints what a build finds of a layer that an earlier build made: only its metadata, so that the buildpack decides anew
 * what the layer is for. Whole numbers stay integers, as they were when the buildpack wrote them.
 */
export function printRestoredLayer(metadata: Readonly<Record<string, unknown>> | undefined): string {
  return metadata === undefined || Object.keys(metadata).length === 0
    ? ''
    : printToml({ metadata: withoutNulls(metadata) as typeof metadata })
}

/** A value without `null`, which TOML does not have and labels may. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(inner => inner !== null).map(withoutNulls)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const kept = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]))
}
