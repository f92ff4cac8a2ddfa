import * as v from 'valibot'
import { check, Problem, parseExactJson } from '#std'
import { type Descriptor, descriptorSchema, tidy } from './descriptor.ts'
import { DOCKER, type Family, OCI } from './media-types.ts'

/** An image manifest (OCI image-spec manifest.md, or Docker's schema 2). */
export interface Manifest {
  readonly family: Family
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** Larger manifests are refused; registries handle at least this much (OCI distribution-spec). */
export const LARGEST_MANIFEST = 4 * 2 ** 20

const manifestSchema = v.looseObject({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  config: descriptorSchema,
  layers: v.pipe(v.array(descriptorSchema), v.maxLength(10_000)),
  annotations: v.nullish(v.record(v.string(), v.string())),
})

/**
 * Reads a manifest. A document that is a manifest and an index at once is refused.
 * Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`, `MANIFEST_AMBIGUOUS`).
 */
export function parseManifest(bytes: Uint8Array, source: string): Manifest {
  const value = parseExactJson(bytes, source, LARGEST_MANIFEST)
  if (typeof value === 'object' && value !== null && 'manifests' in value) throw manifestAmbiguous(source)
  const { config, layers, annotations, mediaType } = check(manifestSchema, value, source)
  const family =
    mediaType === DOCKER.manifest || (mediaType === undefined && config.mediaType === DOCKER.config)
      ? 'docker'
      : 'oci'
  return { family, config: tidy(config), layers: layers.map(tidy), ...(annotations && { annotations }) }
}

/** Prints a manifest; equal manifests give equal bytes. */
export function printManifest({ family, config, layers, annotations }: Manifest): Buffer {
  const mediaType = family === 'oci' ? OCI.manifest : DOCKER.manifest
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, config, layers, ...(annotations && { annotations }) }),
  )
}

/** The `Problem` of a document that is a manifest and an index at once. */
export function manifestAmbiguous(source: string): Problem {
  return new Problem('MANIFEST_AMBIGUOUS', {
    what: `Cannot use ${source}`,
    why: 'it is a manifest and an index at once, so two readers would see two images',
    fix: 'Have it built anew by its maker.',
  })
}
