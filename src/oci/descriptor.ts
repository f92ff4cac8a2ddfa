import * as v from 'valibot'
import { check, type Digest, digestOf, isDigest } from '#std'

/** A pointer to content: what kind it is, the hash that names it, and how many bytes to expect (OCI image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Readonly<Record<string, unknown>>
}

/** Describes bytes held in memory. Equal bytes give equal descriptors. */
export function describeBytes(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength }
}

/** What a descriptor must look like; unknown keys are kept out. */
export const descriptorSchema = v.object({
  mediaType: v.pipe(v.string(), v.maxLength(255)),
  digest: v.custom<Digest>(value => typeof value === 'string' && isDigest(value), 'must be a sha256 digest'),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  annotations: v.optional(v.record(v.string(), v.string())),
  platform: v.optional(v.record(v.string(), v.unknown())),
})

/** Checks a descriptor from outside. Throws a `Problem` (`DOCUMENT_INVALID`). */
export function parseDescriptor(value: unknown, source: string): Descriptor {
  return tidy(check(descriptorSchema, value, source))
}

/** Drops keys that are present but undefined, which the schema's optional keys leave behind. */
export function tidy({
  mediaType,
  digest,
  size,
  annotations,
  platform,
}: v.InferOutput<typeof descriptorSchema>): Descriptor {
  return { mediaType, digest, size, ...(annotations && { annotations }), ...(platform && { platform }) }
}
