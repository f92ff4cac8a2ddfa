/**
 * The keys that a document may have: `true` for a value of any kind, else those of the table, or of each table of a list; `*` stands for
 * all keys that are not named, and an empty table for a key that is known to be wrong.
 */
export interface KnownKeys {
  readonly [key: string]: true | KnownKeys
}

/** The keys of a document that are not known, as dotted paths, each once, in their order. */
export function unknownKeys(value: unknown, known: KnownKeys, path: readonly string[] = []): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap(inner => unknownKeys(inner, known, path)))]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, key]
    const below = Object.hasOwn(known, key) ? known[key] : known['*']
    if (below === undefined || (below !== true && Object.keys(below).length === 0)) return [here.join('.')]
    return below === true ? [] : unknownKeys(inner, below, here)
  })
}
