import type { ConfigurationVariable } from './descriptor.ts'
import type { Log } from './log.ts'
import { notABoolean, notANumber, quoteUnclosed } from './problems.ts'

/** Settings that users give as environment variables; defaults stand in buildpack.toml (`[[metadata.configurations]]`). */
export interface Configuration {
  /** The value that the user gave, else the default of buildpack.toml, else empty. */
  text(name: string): string
  /** Only what the user gave. An empty value counts as given. */
  given(name: string): string | undefined
  /** True for `true`, `1`, `yes`, `on`; throws a `Problem` for what is neither true nor false. */
  flag(name: string): boolean
  /** A whole number, `undefined` where it is not set. */
  number(name: string): number | undefined
  /** Words as a shell would split them: blanks, quotes and backslashes; nothing is expanded. */
  words(name: string): string[]
}

export function openConfiguration(
  variables: readonly ConfigurationVariable[],
  environment: Readonly<Record<string, string | undefined>>,
): Configuration {
  const defaults = new Map(variables.map(each => [each.name, each.default ?? '']))
  const text = (name: string) => environment[name] ?? defaults.get(name) ?? ''
  return {
    text,
    given: name => environment[name],
    flag(name) {
      const value = text(name).trim().toLowerCase()
      if (['true', '1', 'yes', 'on', 't', 'y'].includes(value)) return true
      if (['', 'false', '0', 'no', 'off', 'f', 'n'].includes(value)) return false
      throw notABoolean(name, value)
    },
    number(name) {
      const value = text(name).trim()
      if (value === '') return undefined
      if (!/^\d{1,15}$/.test(value)) throw notANumber(name, value)
      return Number(value)
    },
    words: name => splitWords(text(name), `$${name}`),
  }
}

/**
 * Splits as a POSIX shell would (IEEE 1003.1, 2.2 Quoting), without expanding anything. `name` is for the message of the
 * `Problem` (`CONFIGURATION_INVALID`) that an open quote gives.
 */
export function splitWords(text: string, name: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    const next = text.charAt(index + 1)
    if (quote === "'") {
      if (character === "'") quote = ''
      else word = (word ?? '') + character
    } else if (character === '\\' && (quote === '' ? next !== '' : '$`"\\'.includes(next) && next !== '')) {
      word = (word ?? '') + next
      index++
    } else if (quote !== '' && character === quote) {
      quote = ''
    } else if (quote === '' && (character === "'" || character === '"')) {
      quote = character
      word ??= ''
    } else if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + character
    }
  }
  if (quote !== '') throw quoteUnclosed(name, quote)
  return word === undefined ? words : [...words, word]
}

/** Prints the variables and their values in two tables, as Paketo's buildpacks do. */
export function printConfiguration(
  variables: readonly ConfigurationVariable[],
  configuration: Configuration,
  log: Log,
): void {
  const tables = [
    ['Build Configuration:', variables.filter(({ build }) => build)],
    ['Launch Configuration:', variables.filter(({ launch }) => launch)],
  ] as const
  for (const [heading, rows] of tables) {
    if (rows.length === 0) continue
    log.line(heading)
    const shown = rows.map(
      ({ name, description }) => [`$${name}`, configuration.text(name), description] as const,
    )
    const first = Math.max(...shown.map(([name]) => name.length))
    const second = Math.max(...shown.map(([, value]) => value.length))
    for (const [name, value, description] of shown)
      log.detail(`${name.padEnd(first)}  ${value.padEnd(second)}  ${description}`)
  }
}
