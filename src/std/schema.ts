import * as v from 'valibot'
import { Problem } from './problem.ts'

/**
 * Checks a parsed document against a valibot schema and returns the typed value.
 * Throws a `Problem` (`DOCUMENT_INVALID`) naming the source, the path of the first wrong key, and, if the
 * text is handed in, the line where that key stands.
 */
export function check<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  source: string,
  text?: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const issue = result.issues[0]
  const path = issue.path?.map(part => String(part.key)) ?? []
  const at = text === undefined ? '' : lineOf(text, path)
  const name = path.length === 0 ? 'the document' : path.join('.')
  throw new Problem('DOCUMENT_INVALID', {
    what: `Cannot use ${source}`,
    why: `${at}${name}: ${issue.message}`,
    fix: 'Correct that key; the format is described in docs/.',
  })
}

/** Finds the line and column of the last named key of a path, by searching each named key after the one before. */
function lineOf(text: string, path: string[]): string {
  let offset = 0
  let found = false
  for (const key of path.filter(part => !/^\d+$/.test(part))) {
    const match = new RegExp(`(?<![\\w-])${key.replace(/[^\w-]/g, '\\$&')}(?![\\w-])`).exec(
      text.slice(offset),
    )
    if (!match) continue
    offset += match.index
    found = true
  }
  if (!found) return ''
  const before = text.slice(0, offset).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: `
}
