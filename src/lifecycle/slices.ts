import { posix } from 'node:path'
import { compileGlob, type Matcher } from './glob.ts'
import type { TreeEntry } from './tree.ts'

/** Paths of the app that a buildpack wants in a layer of their own (launch.toml, `[[slices]]`). */
export interface Slice {
  readonly paths: readonly string[]
}

/**
 * Cuts the tree of an app into one list of entries for each slice, and one for the rest: always one more than there are slices, empty ones
 * included (CNB buildpack specification, launch.toml; order and ancestors as in the reference). Each list is in byte order of
 * the full paths. What a slice took is invisible to later ones; a directory that matches takes all that is in it; a list that is not empty also has
 * the directories above its entries. An absolute pattern counts from `root`, the app directory as buildpacks see it.
 * Throws a `Problem` (`SLICE_PATTERN_MALFORMED`, exit code 62).
 */
export function cutSlices(
  entries: readonly TreeEntry[],
  slices: readonly Slice[],
  root: string,
): TreeEntry[][] {
  const tree = new Cuttable(entries)
  const cut = slices.map(({ paths }) => tree.cut(paths.flatMap(pattern => matcherOf(pattern, root))))
  return [...cut, tree.rest()].map(inPathOrder)
}

function matcherOf(pattern: string, root: string): Matcher[] {
  const clean = pattern === '' ? '.' : posix.normalize(pattern).replace(/(?<=.)\/$/, '')
  if (!clean.startsWith('/')) return [compileGlob(clean)]
  return clean.startsWith(`${root}/`) ? [compileGlob(clean.slice(root.length + 1))] : []
}

function inPathOrder(entries: TreeEntry[]): TreeEntry[] {
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

/** The tree while slices are cut out of it. */
class Cuttable {
  readonly #entries: readonly TreeEntry[]
  readonly #byPath = new Map<string, TreeEntry>()
  readonly #children = new Map<string, string[]>()
  readonly #taken = new Set<string>()

  constructor(entries: readonly TreeEntry[]) {
    this.#entries = entries
    for (const entry of entries) {
      this.#byPath.set(entry.path, entry)
      if (entry.path === '') continue
      const siblings = this.#children.get(parentOf(entry.path))
      if (siblings) siblings.push(entry.path)
      else this.#children.set(parentOf(entry.path), [entry.path])
    }
  }

  cut(matchers: readonly Matcher[]): TreeEntry[] {
    const matched = new Set<string>()
    for (const matches of matchers) {
      for (const { path } of this.#entries) if (path !== '' && matches(path)) this.#take(path, matched)
    }
    const above = this.#ancestorsOf(matched)
    this.#takeEmptied(above)
    return [...matched, ...above].map(path => this.#byPath.get(path) as TreeEntry)
  }

  rest(): TreeEntry[] {
    return this.#entries.filter(({ path }) => !this.#taken.has(path))
  }

  #take(path: string, matched: Set<string>): void {
    const pending = [path]
    for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
      if (this.#taken.has(each)) continue
      this.#taken.add(each)
      matched.add(each)
      pending.push(...(this.#children.get(each) ?? []))
    }
  }

  #ancestorsOf(matched: ReadonlySet<string>): Set<string> {
    const above = new Set<string>()
    for (const path of matched) {
      for (let each = path; each !== ''; ) {
        each = parentOf(each)
        if (above.has(each)) break
        if (!matched.has(each)) above.add(each)
      }
    }
    return above
  }

  /** A directory of which everything has been taken counts as taken too, and so disappears from the rest. */
  #takeEmptied(directories: ReadonlySet<string>): void {
    const deepestFirst = [...directories].sort((a, b) => depthOf(b) - depthOf(a))
    for (const directory of deepestFirst) {
      const children = this.#children.get(directory) ?? []
      if (children.every(child => this.#taken.has(child))) this.#taken.add(directory)
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length
}
