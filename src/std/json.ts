import { depthOf } from './depth.ts'
import { duplicateKey } from './duplicate-key.ts'
import { Problem } from './problem.ts'

/**
 * Parses JSON from outside: at most `limit` bytes of text, at most 64 levels deep, no `__proto__` keys.
 * Throws a `Problem` (`JSON_MALFORMED`) that names the source and, where known, line and column.
 */
export function parseJson(text: string, source: string, limit = 16 * 1024 * 1024): unknown {
  if (text.length > limit) throw malformed(source, `it is larger than ${limit} bytes`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw malformed(source, where(text, error), error)
  }
  if (depthOf(value) > DEEPEST) throw malformed(source, TOO_DEEP)
  if (hasPrototypeKey(value)) throw malformed(source, 'the key "__proto__" is not allowed')
  return value
}

/** Looks through a value that is not deep. A reviver of `JSON.parse` would ask the same in several times the time. */
function hasPrototypeKey(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey)
}

/**
 * Parses JSON whose every reader must see the same: UTF-8 without a mark at its start, and no key twice in one object; else as `parseJson`.
 * For documents that are named by their digest and read by others too.
 */
export function parseExactJson(bytes: Uint8Array, source: string, limit?: number): unknown {
  if (limit !== undefined && bytes.byteLength > limit)
    throw malformed(source, `it is larger than ${limit} bytes`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw malformed(source, 'it is not UTF-8 text', error)
  }
  const value = parseJson(text, source, limit)
  const twice = duplicateKey(text)
  if (twice !== undefined)
    throw malformed(source, `the key ${JSON.stringify(twice.slice(0, 100))} is there twice`)
  return value
}

const DEEPEST = 64
const TOO_DEEP = `it is nested more than ${DEEPEST} levels deep`

/** Prints JSON with keys sorted and two-blank indents, so that equal values give equal bytes. */
export function printJson(value: unknown): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const table = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.keys(table)
      .sort()
      .map(key => [key, sorted(table[key])]),
  )
}

function where(text: string, error: unknown): string {
  if (error instanceof RangeError) return TOO_DEEP
  // The message quotes the document.
  const message = String(error instanceof Error ? error.message : error).replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const position = /position (\d+)/.exec(message)?.[1]
  if (position === undefined) return message
  const before = text.slice(0, Number(position)).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${message}`
}

function malformed(source: string, why: string, cause?: unknown): Problem {
  return new Problem('JSON_MALFORMED', {
    what: `Cannot read ${source}`,
    why,
    fix: 'Correct the document, or fetch it again from where it came.',
    cause,
  })
}
