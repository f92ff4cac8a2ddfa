import * as v from 'valibot'
import { optionalStrings } from './document.ts'

/** A table in which every key has to be known: misspelt keys of a builder.toml or package.toml are errors, as with pack. */
export function strictTable<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject(entries, issue =>
    issue.expected === 'never' ? 'there is no such key here' : 'must be a table',
  )
}

/** Text that may be left out. */
export const optionalText = v.optional(v.string())

/** What a module may say of itself beside its place. */
const about = {
  id: optionalText,
  version: optionalText,
  name: optionalText,
  description: optionalText,
  homepage: optionalText,
  keywords: v.optional(v.array(v.string())),
  licenses: v.optional(v.array(strictTable({ type: optionalText, uri: optionalText }))),
  'clear-env': v.optional(v.boolean()),
}

/** `[[buildpacks]]` and `[[extensions]]`: a module and where it is. */
export const moduleSchema = strictTable({ ...about, uri: optionalText, image: optionalText })

/** `[[order]]`, strict. */
export const strictOrderSchema = v.optional(
  v.array(
    strictTable({
      group: v.optional(
        v.array(
          strictTable({
            ...about,
            id: v.string(),
            optional: v.optional(v.boolean(), false),
            'exec-env': optionalStrings,
          }),
        ),
        () => [],
      ),
    }),
  ),
  () => [],
)

/** `[[targets]]`, strict. */
export const strictTargetsSchema = v.optional(
  v.array(
    strictTable({
      os: optionalText,
      arch: optionalText,
      variant: optionalText,
      distros: v.optional(v.array(strictTable({ name: optionalText, version: optionalText })), () => []),
    }),
  ),
  () => [],
)
