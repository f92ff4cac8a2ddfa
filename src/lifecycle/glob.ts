import { patternMalformed } from './export-problems.ts'

/** One step of a pattern: a run of characters other than `/`, any one of them, a class, or a character as it stands. */
type Step =
  | { readonly kind: 'star' }
  | { readonly kind: 'any' }
  | {
      readonly kind: 'class'
      readonly negated: boolean
      readonly ranges: readonly (readonly [number, number])[]
    }
  | { readonly kind: 'byte'; readonly byte: number }

/** Tells of a path, bytes as latin1, whether it matches. */
export type Matcher = (path: string) => boolean

const SLASH = 0x2f
/** What Go makes of bytes that are not UTF-8. */
const REPLACEMENT = 0xfffd

/**
 * Compiles a pattern of Go's `path/filepath.Match`, which the slices of the Buildpacks specification are given in: `*` and `?` do not
 * cross `/`, `[a-z]` and `[^x]` are classes, `\` takes the next character as it stands, there is no `**`. A class, unlike `?`, may match `/`.
 * Throws a `Problem` (`SLICE_PATTERN_MALFORMED`, exit code 62); unlike in Go, also where no path would have got that far.
 */
export function compileGlob(pattern: string): Matcher {
  const steps = stepsOf(Buffer.from(pattern), pattern)
  return path => matches(steps, path)
}

/** Greedy with one way back: the last star is stretched by one byte each time what follows it does not fit. */
function matches(steps: readonly Step[], path: string): boolean {
  let step = 0
  let at = 0
  let star = -1
  let starAt = 0
  for (;;) {
    const current = steps[step]
    if (current?.kind === 'star') {
      star = step
      starAt = at
      step += 1
      continue
    }
    if (current === undefined && at === path.length) return true
    const taken = current === undefined ? 0 : take(current, path, at)
    if (taken > 0) {
      step += 1
      at += taken
      continue
    }
    if (star < 0 || starAt >= path.length || path.charCodeAt(starAt) === SLASH) return false
    starAt += 1
    step = star + 1
    at = starAt
  }
}

/** Bytes that a step takes of the path, 0 if it does not fit. */
function take(step: Exclude<Step, { kind: 'star' }>, path: string, at: number): number {
  if (at >= path.length) return 0
  if (step.kind === 'byte') return path.charCodeAt(at) === step.byte ? 1 : 0
  const [rune, width] = runeAt(path, at)
  if (step.kind === 'any') return path.charCodeAt(at) === SLASH ? 0 : width
  const inside = step.ranges.some(([low, high]) => low <= rune && rune <= high)
  return inside === step.negated ? 0 : width
}

function stepsOf(bytes: Buffer, pattern: string): Step[] {
  const text = bytes.toString('latin1')
  const steps: Step[] = []
  for (let at = 0; at < text.length; ) {
    const character = text[at]
    if (character === '[') {
      const [parsed, next] = classAt(text, at + 1, pattern)
      steps.push(parsed)
      at = next
      continue
    }
    if (character === '\\') at += 1
    if (at >= text.length) throw patternMalformed(pattern)
    if (character === '*') steps.push({ kind: 'star' })
    else if (character === '?') steps.push({ kind: 'any' })
    else steps.push({ kind: 'byte', byte: text.charCodeAt(at) })
    at += 1
  }
  return steps
}

function classAt(text: string, start: number, pattern: string): [Step, number] {
  let at = start
  const negated = text[at] === '^'
  if (negated) at += 1
  const ranges: [number, number][] = []
  while (text[at] !== ']' || ranges.length === 0) {
    const [low, afterLow] = characterAt(text, at, pattern)
    at = afterLow
    let high = low
    if (text[at] === '-') {
      const [parsed, afterHigh] = characterAt(text, at + 1, pattern)
      high = parsed
      at = afterHigh
    }
    ranges.push([low, high])
  }
  return [{ kind: 'class', negated, ranges }, at + 1]
}

function characterAt(text: string, start: number, pattern: string): [number, number] {
  let at = start
  if (text[at] === '-' || text[at] === ']') throw patternMalformed(pattern)
  if (text[at] === '\\') at += 1
  if (at >= text.length) throw patternMalformed(pattern)
  const [rune, width] = runeAt(text, at)
  if (at + width >= text.length) throw patternMalformed(pattern)
  return [rune, at + width]
}

/** The code point that starts at a byte and how many bytes it takes, as Go's `utf8.DecodeRune` does it. */
function runeAt(path: string, at: number): [number, number] {
  const first = path.charCodeAt(at)
  if (first < 0x80) return [first, 1]
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  const bytes = Buffer.from(path.slice(at, at + width), 'latin1')
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? [text.codePointAt(0) as number, width] : [REPLACEMENT, 1]
}
