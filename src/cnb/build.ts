import * as v from 'valibot'
import { type BomEntry, bomFrom, bomSchema } from './bom-entry.ts'
import { readDocument } from './document.ts'

/** What a build.toml says. */
export interface BuildDocument {
  /** Names of dependencies that a later provider has to see to. */
  readonly unmet: readonly string[]
  readonly bom: readonly BomEntry[]
}

const document = v.object({
  unmet: v.optional(
    v.array(v.object({ name: v.pipe(v.string(), v.nonEmpty('must not be empty')) })),
    () => [],
  ),
  bom: bomSchema,
})

/** Reads a build.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseBuild(text: string, file: string): BuildDocument {
  const { unmet, bom } = readDocument(document, text, file)
  return { unmet: unmet.map(({ name }) => name), bom: bomFrom(bom, file) }
}
