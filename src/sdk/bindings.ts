import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { byBytes, isSystemError, readIfExists } from '#std'
import { bindingsAmbiguous } from './problems.ts'

/**
 * A service binding (Service Binding Specification for Kubernetes). What it holds must never reach a layer that goes
 * into the image, a label, or the log.
 */
export interface Binding {
  readonly name: string
  readonly type: string
  readonly provider?: string
  /** The directory of the binding. */
  readonly directory: string
  /** Names of its entries (`.netrc` may be one), `type` and `provider` left out, sorted. */
  readonly entries: readonly string[]
  /** The path of an entry's file. */
  path(entry: string): string | undefined
  /** The text of an entry without blanks at its ends. */
  read(entry: string): Promise<string | undefined>
}

/** The bindings of a build. Types are compared without regard to case. */
export interface Bindings extends Iterable<Binding> {
  ofType(type: string): readonly Binding[]
  /** The only binding of a type; throws a `Problem` (`BINDINGS_AMBIGUOUS`) if there are several. */
  only(type: string): Binding | undefined
}

/** Reads the bindings below the first of the roots that is there. Directories without a file `type` do not count, hidden ones neither. */
export async function readBindings(roots: readonly (string | undefined)[]): Promise<Bindings> {
  for (const root of roots) {
    if (!root) continue
    const names = await namesIn(root)
    if (names === undefined) continue
    const found: Binding[] = []
    for (const name of names) {
      const binding = await readBinding(name, join(root, name))
      if (binding) found.push(binding)
    }
    return bindingsOf(found)
  }
  return bindingsOf([])
}

function bindingsOf(all: readonly Binding[]): Bindings {
  const ofType = (type: string) => all.filter(each => each.type.toLowerCase() === type.toLowerCase())
  return {
    [Symbol.iterator]: () => all[Symbol.iterator](),
    ofType,
    only(type) {
      const [first, ...others] = ofType(type)
      if (first && others.length > 0)
        throw bindingsAmbiguous(
          type,
          ofType(type).map(({ name }) => name),
        )
      return first
    },
  }
}

async function readBinding(name: string, directory: string): Promise<Binding | undefined> {
  const type = (await readIfExists(join(directory, 'type')))?.trim()
  if (!type) return undefined
  const provider = (await readIfExists(join(directory, 'provider')))?.trim()
  const entries: string[] = []
  for (const entry of (await namesIn(directory, '..')) ?? []) {
    if (entry === 'type' || entry === 'provider') continue
    if ((await stat(join(directory, entry))).isFile()) entries.push(entry)
  }
  return {
    name,
    type,
    ...(provider && { provider }),
    directory,
    entries,
    path: entry => (entries.includes(entry) ? join(directory, entry) : undefined),
    read: async entry =>
      entries.includes(entry) ? (await readFile(join(directory, entry), 'utf8')).trim() : undefined,
  }
}

/** Kubernetes keeps what entries link to under names that begin with two dots. */
async function namesIn(directory: string, hidden = '.'): Promise<string[] | undefined> {
  try {
    return (await readdir(directory)).filter(name => !name.startsWith(hidden)).sort(byBytes)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
