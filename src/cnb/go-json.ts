/**
 * Prints JSON as Go's `encoding/json` does, on one line: `<`, `>`, `&` and the Unicode line separators are escaped. Labels of
 * the reference are printed so, and equal labels are what makes equal images.
 */
export function printGoJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A free value with the keys of all its tables sorted, as Go prints maps, and dates as text. */
export function goMap(value: unknown): unknown {
  if (value instanceof Date) return goTime(value)
  if (Array.isArray(value)) return value.map(goMap)
  if (typeof value !== 'object' || value === null) return value
  const sorted = Object.entries(value).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return Object.fromEntries(sorted.map(([key, inner]) => [key, goMap(inner)]))
}

/** A time as Go prints it (RFC 3339): no zeros at the end of the fraction, and no empty fraction. */
function goTime(time: Date): string {
  return time
    .toISOString()
    .replace(/\.(\d*?)0*((?:Z|[+-]\d\d:\d\d)?)$/, (_, fraction: string, zone: string) =>
      fraction === '' ? zone : `.${fraction}${zone}`,
    )
}
