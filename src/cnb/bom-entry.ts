import * as v from 'valibot'
import { freeTable } from './document.ts'
import { documentInvalid } from './problems.ts'

/** An entry of the old bill of materials (`[[bom]]`). */
export interface BomEntry {
  readonly name: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** `[[bom]]` of launch.toml and build.toml. */
export const bomSchema = v.optional(
  v.array(
    v.object({
      name: v.string(),
      version: v.optional(v.unknown()),
      metadata: v.optional(freeTable, () => ({})),
    }),
  ),
  () => [],
)

/** Checks parsed entries: a `version` outside the metadata was removed from the specification. */
export function bomFrom(entries: v.InferOutput<typeof bomSchema>, file: string): BomEntry[] {
  return entries.map(({ name, version, metadata }) => {
    if (version !== undefined)
      throw documentInvalid(file, `bom ${JSON.stringify(name)} has a "version" of its own`)
    return { name, metadata }
  })
}
