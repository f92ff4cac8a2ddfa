import { parse, stringify, TomlError } from 'smol-toml'
import { depthOf } from './depth.ts'
import { Problem } from './problem.ts'

/** What a TOML document can hold once parsed. */
export type TomlTable = { [key: string]: unknown }

/**
 * Parses TOML 1.0, at most 64 levels deep. Integers become numbers (outside ±2^53 an error), dates become `Date`.
 * Throws a `Problem` (`TOML_MALFORMED`) that names the file, line and column.
 */
export function parseToml(text: string, file: string): TomlTable {
  try {
    const table = parse(text) as TomlTable
    if (depthOf(table) <= DEEPEST) return table
    throw new TomlError(`it is nested more than ${DEEPEST} levels deep`, { toml: text, ptr: 0 })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? error.message
    throw new Problem('TOML_MALFORMED', {
      what: `Cannot read ${file}`,
      why: `line ${error.line}, column ${error.column}: ${reason}`,
      fix: 'Correct the file at that place (TOML 1.0).',
      cause: error,
    })
  }
}

const DEEPEST = 64

/** Prints a table as TOML. Key order is kept, so equal input gives equal text. */
export function printToml(table: TomlTable): string {
  const text = stringify(table)
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
