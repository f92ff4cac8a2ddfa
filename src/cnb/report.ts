import * as v from 'valibot'
import { printToml } from '#std'
import { optionalStrings, readDocument, withoutEmpty, withoutUndefined } from './document.ts'

/** What was written where (report.toml). */
export interface ImageReport {
  readonly tags: readonly string[]
  /** Set for a registry. */
  readonly digest?: string
  /** Set for a daemon. */
  readonly imageId?: string
  readonly manifestSize?: number
}

const document = v.object({
  image: v.object({
    tags: optionalStrings,
    digest: v.optional(v.string()),
    'image-id': v.optional(v.string()),
    'manifest-size': v.optional(v.number()),
  }),
})

/** Prints a report.toml. */
export function printReport({ tags, digest, imageId, manifestSize }: ImageReport): string {
  return printToml({
    image: {
      tags,
      ...withoutEmpty({ 'image-id': imageId, digest }),
      ...(manifestSize && { 'manifest-size': manifestSize }),
    },
  })
}

/** Reads a report.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseReport(text: string, file: string): ImageReport {
  const {
    tags,
    digest,
    'image-id': imageId,
    'manifest-size': manifestSize,
  } = readDocument(document, text, file).image
  return { tags, ...withoutUndefined({ digest, imageId, manifestSize }) }
}
