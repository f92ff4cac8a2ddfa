/** The numbers of a release. */
type Numbers = readonly [number, number, number]

/** Versions from `low` on and before `high`. */
interface Interval {
  readonly low: Numbers
  readonly high: Numbers
}

const ZERO: Numbers = [0, 0, 0]
const END: Numbers = [Number.POSITIVE_INFINITY, 0, 0]
const NOTHING: Interval = { low: END, high: ZERO }

/**
 * Reads a range as npm writes them (node-semver, "Ranges"): `18 || >=20.5 <23`, `^20.1`, `~22.4.1`, `20.x`, `18 - 22`. The answer tells
 * releases that are in it; pre-releases are in none, and in a range the pre-release part of a version says nothing. `undefined` for what is
 * no range.
 */
export function readRange(text: string): ((version: string) => boolean) | undefined {
  if (text.length > 200) return undefined
  const alternatives: Interval[] = []
  for (const part of text.split('||')) {
    const interval = intervalOf(part.trim())
    if (!interval) return undefined
    alternatives.push(interval)
  }
  return version => {
    const numbers = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(version)
    if (!numbers) return false
    const release: Numbers = [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])]
    return alternatives.some(({ low, high }) => compare(low, release) <= 0 && compare(release, high) < 0)
  }
}

const VERSION = String.raw`[v=\s]*((?:\d{1,9}|[xX*])(?:\.(?:\d{1,9}|[xX*])){0,2})(?:[-+][\w.+-]*)?`
const HYPHEN = new RegExp(`^${VERSION}\\s+-\\s+${VERSION}$`)
const COMPARATOR = new RegExp(`^(>=|<=|>|<|\\^|~>?|)${VERSION}$`)

/** One alternative: comparators that must all hold. */
function intervalOf(text: string): Interval | undefined {
  const between = HYPHEN.exec(text)
  if (between)
    return {
      low: spanOf('>=', between[1] as string).low,
      high: spanOf('<=', between[2] as string).high,
    }
  let interval: Interval = { low: ZERO, high: END }
  const words = text.replace(/(>=|<=|>|<|\^|~>?|=)\s+/g, '$1').split(/\s+/)
  for (const word of words) {
    if (word === '') continue
    const comparator = COMPARATOR.exec(word)
    if (!comparator) return undefined
    const { low, high } = spanOf(comparator[1] as string, comparator[2] as string)
    interval = {
      low: compare(interval.low, low) < 0 ? low : interval.low,
      high: compare(high, interval.high) < 0 ? high : interval.high,
    }
  }
  return interval
}

/** What one comparator allows. A version may have fewer than three parts; then it stands for all that begin with them. */
function spanOf(operator: string, version: string): Interval {
  const parts = version.split('.')
  const end = parts.findIndex(part => !/^\d+$/.test(part))
  const given = (end < 0 ? parts : parts.slice(0, end)).map(Number)
  const floor: Numbers = [given[0] ?? 0, given[1] ?? 0, given[2] ?? 0]
  const after = (place: number): Numbers => {
    if (place < 0) return END
    const numbers = [0, 1, 2].map(index => (index < place ? (floor[index] ?? 0) : 0))
    numbers[place] = (floor[place] ?? 0) + 1
    return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0]
  }
  const last = given.length - 1
  if (operator === '>=') return { low: floor, high: END }
  if (operator === '<=') return { low: ZERO, high: after(last) }
  if (operator === '>') return last < 0 ? NOTHING : { low: after(last), high: END }
  if (operator === '<') return last < 0 ? NOTHING : { low: ZERO, high: floor }
  if (operator.startsWith('~')) return { low: floor, high: after(Math.min(last, 1)) }
  if (operator === '^') {
    const first = given.findIndex(number => number > 0)
    return { low: floor, high: after(first < 0 ? last : first) }
  }
  return { low: floor, high: after(last) }
}

function compare(a: Numbers, b: Numbers): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || 0
}
