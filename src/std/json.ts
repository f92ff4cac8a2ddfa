import { Problem } from './problem.ts'

/**
 * Parses JSON from outside: at most `limit` bytes of text, at most 64 levels deep, no `__proto__` keys.
 * Throws a `Problem` (`JSON_MALFORMED`) that names the source and, where known, line and column.
 */
export function parseJson(text: string, source: string, limit = 16 * 1024 * 1024): unknown {
  if (text.length > limit) throw malformed(source, `it is larger than ${limit} bytes`)
  let value: unknown
  try {
    value = JSON.parse(text, (key, inner) => {
      if (key === '__proto__') throw new SyntaxError('the key "__proto__" is not allowed')
      return inner
    })
  } catch (error) {
    throw malformed(source, where(text, error), error)
  }
  if (depthOf(value) > 64) throw malformed(source, 'it is nested more than 64 levels deep')
  return value
}

/** Prints JSON with keys sorted and two-blank indents, so that equal values give equal bytes. */
export function printJson(value: unknown): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

function where(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const position = /position (\d+)/.exec(message)?.[1]
  if (position === undefined) return message
  const before = text.slice(0, Number(position)).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${message}`
}

function depthOf(value: unknown): number {
  let deepest = 0
  const pending: [unknown, number][] = [[value, 0]]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [inner, depth] = next
    if (inner === null || typeof inner !== 'object') continue
    deepest = Math.max(deepest, depth + 1)
    for (const child of Object.values(inner)) pending.push([child, depth + 1])
  }
  return deepest
}

function malformed(source: string, why: string, cause?: unknown): Problem {
  return new Problem('JSON_MALFORMED', {
    what: `Cannot read ${source}`,
    why,
    fix: 'Correct the document, or fetch it again from where it came.',
    cause,
  })
}
