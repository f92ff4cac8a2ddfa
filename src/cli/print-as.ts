import { printToml, type TomlTable } from '#std'
import type { Surroundings } from './command.ts'
import { oneOf } from './one-of.ts'

/** Prints an answer in the form that was asked for; documents keep the order of their keys. */
export function printAs(
  { output, json }: { readonly output?: string | undefined; readonly json?: boolean },
  { print }: Surroundings,
  text: () => string,
  document: () => object,
): void {
  const form = json ? 'json' : oneOf('output', output ?? 'human', ['human', 'json', 'toml'])
  if (form === 'human') print(text())
  else if (form === 'json') print(JSON.stringify(document(), null, 2))
  else print(printToml(withoutNulls(document()) as TomlTable).trimEnd())
}

/** TOML has no null. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined)
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]))
}
