import { isInside } from '#std'
import { notRelocatable } from './problems.ts'
import { follow, parentOf, place, type Tree, type TreeFile, targetOf } from './tree.ts'

/** How unpacked files become a tree that works wherever it is put. Paths are relative; globs know `*` and `**`. */
export interface Relocation {
  /** The directory that becomes the root of the new tree; `*` stands for one unknown part, as in `apache-maven-*`. */
  readonly from: string
  /** What is left out, as globs below the new root. */
  readonly drop?: readonly string[]
  /** Files brought in from elsewhere in the unpacked files; links on the way are followed. */
  readonly add?: readonly { readonly from: string; readonly to: string }[]
  /** Links that may lead nowhere, as globs; they are left out. */
  readonly dangling?: readonly string[]
  /** Directories that programs expect even while empty. */
  readonly directories?: readonly string[]
}

/**
 * Cuts a tree out of unpacked files. Links that leave it are replaced by what they lead to, so that no absolute link and
 * none that climbs out remains. Throws a `Problem` that lists every link that leads nowhere and every missing addition.
 */
export function relocate(files: Tree, relocation: Relocation, runtime: string): Tree {
  const from = rootOf(files, relocation.from, runtime)
  const dropped = matching(relocation.drop ?? [])
  const mayDangle = matching(relocation.dangling ?? [])
  const problems: string[] = []
  const out: Tree = new Map()
  const copy = (source: string, to: string): void => {
    const end = follow(files, source)
    const node = end === undefined ? undefined : files.get(end)
    if (end === undefined || node === undefined) {
      if (!mayDangle(to)) problems.push(`${to} leads to nothing`)
    } else if (node.type === 'file') place(out, to, node, runtime)
    else
      for (const [below, path] of childrenOf(files, end))
        if (!dropped(`${to}/${path}`)) copy(below, `${to}/${path}`)
  }

  for (const [source, path] of from === '' ? filesOf(files) : childrenOf(files, from)) {
    const node = files.get(source)
    if (node === undefined || node.type === 'directory' || dropped(path)) continue
    if (node.type === 'symlink' && staysInside(source, node.target, from)) place(out, path, node, runtime)
    else copy(source, path)
  }
  for (const { from: source, to } of relocation.add ?? []) {
    const before = problems.length
    if (!out.has(to)) copy(source, to)
    if (problems.length > before) problems[problems.length - 1] = `${source} is missing`
  }
  for (const path of relocation.directories ?? []) place(out, path, { type: 'directory' }, runtime)
  for (const [path, node] of out) {
    if (node.type !== 'symlink' || follow(out, path) !== undefined) continue
    if (mayDangle(path)) out.delete(path)
    else problems.push(`${path} leads to ${node.target}, which is not in the tree`)
  }
  if (problems.length > 0) throw notRelocatable(runtime, problems)
  return out
}

/** Puts a file into a tree in place of whatever is there. */
export function overwrite(tree: Tree, path: string, file: TreeFile): void {
  tree.delete(path)
  place(tree, path, file, path)
}

/** A test for paths that match one of the globs, or lie below a match. */
export function matching(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map(glob => {
    const text = glob
      .split(/(\*\*\/|\*)/)
      .map(part =>
        part === '**/' ? '(?:[^/]+/)*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
      )
      .join('')
    return new RegExp(`^${text}(?:/|$)`)
  })
  return path => patterns.some(pattern => pattern.test(path))
}

function rootOf(files: Tree, from: string, runtime: string): string {
  if (!from.includes('*')) return from
  const same = matching([from])
  const roots = new Set(
    [...files.keys()]
      .filter(path => same(path))
      .map(path => path.split('/').slice(0, from.split('/').length).join('/')),
  )
  const [root, ...others] = roots
  if (root === undefined || others.length > 0)
    throw notRelocatable(runtime, [`there is not exactly one ${from} in it`])
  return root
}

function staysInside(source: string, target: string, from: string): boolean {
  if (target.startsWith('/')) return false
  const end = targetOf(source, target)
  if (end === undefined || !isInside(`/${from}`, `/${end}`)) return false
  // A target may climb above the root and come back by name; the name will not be there any more.
  let depth = parentOf(source).split('/').filter(Boolean).length - from.split('/').filter(Boolean).length
  return target.split('/').every(part => {
    depth += part === '..' ? -1 : part === '' || part === '.' ? 0 : 1
    return depth >= 0
  })
}

function* filesOf(files: Tree): Generator<[string, string]> {
  for (const path of files.keys()) yield [path, path]
}

function* childrenOf(files: Tree, directory: string): Generator<[string, string]> {
  for (const path of [...files.keys()]) {
    const node = files.get(path)
    if (path.startsWith(`${directory}/`) && node?.type !== 'directory')
      yield [path, path.slice(directory.length + 1)]
  }
}
