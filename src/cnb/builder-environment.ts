import * as v from 'valibot'
import type { Report } from '#std'
import { strictTable } from './builder-config-schema.ts'
import { documentInvalid } from './problems.ts'

/** A variable that a builder sets for every build, and how it meets one that is there. */
export interface BuildVariable {
  readonly name: string
  readonly value: string
  readonly suffix?: 'default' | 'override' | 'append' | 'prepend'
  readonly delim?: string
}

const SUFFIXES = ['default', 'override', 'append', 'prepend'] as const

/** `[[build.env]]` of a builder.toml. */
export const variablesSchema = v.optional(
  v.array(
    strictTable({
      name: v.string(),
      value: v.optional(v.string(), ''),
      suffix: v.optional(v.picklist(['', ...SUFFIXES], `must be one of ${SUFFIXES.join(', ')}`)),
      delim: v.optional(v.string()),
    }),
  ),
  () => [],
)

/** Checks variables: a name is a file name, and what is appended or prepended needs a delimiter. Throws a `Problem` (`DOCUMENT_INVALID`). */
export function buildVariables(
  found: v.InferOutput<NonNullable<typeof variablesSchema>>,
  file: string,
  report: Report,
): BuildVariable[] {
  const delimited = new Set(found.filter(({ delim }) => delim).map(({ name }) => name))
  return found.map(({ name, value, suffix, delim }) => {
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name))
      throw documentInvalid(file, `[[build.env]] has ${JSON.stringify(name)}, which is no name of a variable`)
    if (value === '') report.warn(`${file}: [[build.env]] ${name} is empty`)
    if ((suffix === 'append' || suffix === 'prepend') && !delimited.has(name)) {
      throw documentInvalid(
        file,
        `[[build.env]] ${name} is to be ${suffix}ed, but has no delim`,
        'Add delim = ":" or another one.',
      )
    }
    return { name, value, ...(suffix && { suffix }), ...(delim && { delim }) }
  })
}

/** The files below `/cnb/build-config/env` that say so, by name; a later variable of the same name and suffix wins. */
export function buildVariableFiles(variables: readonly BuildVariable[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const { name, value, suffix, delim } of variables) {
    if (delim !== undefined) files.set(`${name}.delim`, delim)
    files.set(suffix ? `${name}.${suffix}` : name, value)
  }
  return files
}
