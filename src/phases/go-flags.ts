import { flagInvalid } from './problems.ts'

/** What a flag takes: a word, a switch (`-daemon`, `-daemon=false`), a whole number, or a word as often as one likes. */
export type FlagKind = 'string' | 'boolean' | 'integer' | 'list'

/** A flag as its program knows it. */
export interface FlagDefinition {
  readonly name: string
  readonly kind: FlagKind
  /** For the usage text. */
  readonly about: string
}

export type FlagValue = string | boolean | number | readonly string[]

/** What was on the command line. */
export interface ParsedFlags {
  readonly values: ReadonlyMap<string, FlagValue>
  readonly positionals: readonly string[]
  /** True for `-h` and `-help` where they are no flags of the program. */
  readonly help: boolean
}

/**
 * Reads flags as Go's package `flag` does, which all lifecycles use: `-name value`, `-name=value`, with one dash or two; switches take a value only after
 * `=`; the first word that is no flag, or `--`, ends them. Throws a `Problem` (`FLAG_INVALID`, exit code 2).
 */
export function parseGoFlags(
  program: string,
  definitions: readonly FlagDefinition[],
  words: readonly string[],
): ParsedFlags {
  const known = new Map(definitions.map(each => [each.name, each]))
  const values = new Map<string, FlagValue>()
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at] as string
    if (word.length < 2 || !word.startsWith('-')) break
    if (word === '--') {
      at++
      break
    }
    const bare = word.replace(/^--?/, '')
    if (/^[-=]|^$/.test(bare)) throw flagInvalid(program, `bad flag syntax: ${word}`)
    const equals = bare.indexOf('=')
    const name = equals < 0 ? bare : bare.slice(0, equals)
    const definition = known.get(name)
    if (!definition) {
      if (name === 'h' || name === 'help') return { values, positionals: [], help: true }
      throw flagInvalid(program, `flag provided but not defined: -${name}`)
    }
    const given = equals < 0 ? undefined : bare.slice(equals + 1)
    if (given === undefined && definition.kind !== 'boolean') at++
    const value = given ?? (definition.kind === 'boolean' ? 'true' : words[at])
    if (value === undefined) throw flagInvalid(program, `flag needs an argument: -${name}`)
    const before = values.get(name)
    values.set(name, readValue(program, definition, value, Array.isArray(before) ? before : []))
  }
  return { values, positionals: words.slice(at), help: false }
}

/** The text that Go prints for `-h`: one flag after the other, in the order of their names. */
export function goUsage(program: string, definitions: readonly FlagDefinition[]): string {
  const words = { string: ' string', boolean: '', integer: ' int', list: ' value' }
  const lines = definitions
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, kind, about }) => `  -${name}${words[kind]}\n    \t${about}`)
  return `Usage of ${program}:\n${lines.join('\n')}\n`
}

/** A truth value as Go's `strconv.ParseBool` reads it; undefined for anything else. */
export function parseGoBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  return undefined
}

/** A whole number as Go's `strconv.ParseInt` reads it with any base; undefined for anything else. */
export function parseGoInteger(text: string): number | undefined {
  const found = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/.exec(text)
  if (!found) return undefined
  const digits = (found[2] as string).replace(/^0(?=[0-7])/, '0o')
  const number = Number(digits) * (found[1] === '-' ? -1 : 1)
  return Number.isSafeInteger(number) ? number : undefined
}

function readValue(
  program: string,
  { name, kind }: FlagDefinition,
  text: string,
  before: readonly string[],
): FlagValue {
  if (kind === 'string') return text
  if (kind === 'list') return [...before, text]
  const value = kind === 'boolean' ? parseGoBoolean(text) : parseGoInteger(text)
  if (value !== undefined) return value
  const noun = kind === 'boolean' ? 'boolean value' : 'value'
  throw flagInvalid(program, `invalid ${noun} ${JSON.stringify(text)} for flag -${name}: parse error`)
}
