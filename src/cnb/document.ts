import * as v from 'valibot'
import { check, parseToml } from '#std'

/** Parses TOML and checks it in one step. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`) with the place. */
export function readDocument<const Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
  file: string,
): v.InferOutput<Schema> {
  return check(schema, parseToml(text, file), file, text)
}

/** A table whose keys nobody checks. */
export const freeTable = v.custom<Readonly<Record<string, unknown>>>(isTable, 'must be a table')

/** A list of strings. */
export const strings = v.array(v.string())

/** A list of strings that may be left out. */
export const optionalStrings = v.optional(strings, () => [])

/** The spec's `[[x.exec-env]] name = "…"` and the reference's `exec-env = ["…"]`; both give names. */
export const execEnv = v.optional(
  v.array(
    v.union(
      [
        v.string(),
        v.pipe(
          v.object({ name: v.string() }),
          v.transform(entry => entry.name),
        ),
      ],
      'must be names of execution environments',
    ),
  ),
  () => [],
)

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** The table without the keys that hold nothing: `undefined`, empty text, empty lists. */
export function withoutEmpty(table: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const filled = Object.entries(table).filter(
    ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
  return Object.fromEntries(filled)
}

/** The table without the keys that are `undefined`: what `exactOptionalPropertyTypes` calls absent. */
export function withoutUndefined<Table extends object>(
  table: Table,
): { [Key in keyof Table]: Exclude<Table[Key], undefined> } {
  const defined = Object.entries(table).filter(([, value]) => value !== undefined)
  return Object.fromEntries(defined) as { [Key in keyof Table]: Exclude<Table[Key], undefined> }
}
