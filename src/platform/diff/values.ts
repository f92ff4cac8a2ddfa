import { byBytes } from '#std'

/** A value that is not the same in both, by name. Absent: it is not there. */
export interface ValueChange {
  readonly name: string
  readonly before?: string
  readonly after?: string
}

/** Every name whose value is not the same in both, sorted by bytes. */
export function compareValues(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ValueChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort(byBytes)
  return names.flatMap(name => {
    const [was, is] = [before.get(name), after.get(name)]
    if (was === is) return []
    return [{ name, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }]
  })
}

/** Values deeper than this are compared as text. */
const DEEPEST = 16

/**
 * The values inside a label that holds JSON, each by its way there (`app[0].sha`), so that a difference can be named; a label of other text
 * is one value without a way.
 */
export function valuesInside(text: string): Map<string, string> {
  const found = new Map<string, string>()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = text
  }
  collect(typeof value === 'object' && value !== null ? value : text, '', found, 0)
  return found
}

function collect(value: unknown, way: string, found: Map<string, string>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth >= DEEPEST) {
    found.set(way, typeof value === 'string' ? value : JSON.stringify(value))
    return
  }
  const entries = Array.isArray(value)
    ? value.map((each, index): [string, unknown] => [`${way}[${index}]`, each])
    : Object.entries(value).map(([key, each]): [string, unknown] => [
        way === '' ? key : `${way}.${key}`,
        each,
      ])
  if (entries.length === 0) found.set(way, Array.isArray(value) ? '[]' : '{}')
  for (const [inner, each] of entries) collect(each, inner, found, depth + 1)
}
