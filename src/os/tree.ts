import type { TarEntry } from '#std'
import type { DecodedEntry } from './decode.ts'
import { filesClash, unpackRefused } from './problems.ts'

/** Where the bytes of a file stand. */
export type Content =
  | { readonly bytes: Uint8Array }
  | { readonly spool: string; readonly offset: number; readonly size: number }

interface Common {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** The package that brought it, or `base` for what slipway itself wrote. */
  readonly owner: string
}

/** A node of an operating system in memory. Two paths with the same `content` object are hard links of one another. */
export type Node =
  | (Common & { readonly type: 'directory' })
  | (Common & { readonly type: 'symlink'; readonly target: string })
  | (Common & { readonly type: 'file'; readonly content: Content })

/** Paths without a leading slash, as latin1. */
export type BaseTree = Map<string, Node>

/** Everything has one time, that of layers of buildpacks: 1980-01-01T00:00:01Z. */
export const TIME = 315532801

/** The links of the merged file system; packages may bring them too, and then these count. */
const MERGED = /^(?:s?bin|lib(?:32|64|x32)?)$/

/** Adds what a package contains. Set-id bits are dropped; devices and FIFOs are refused. */
export function addPackage(
  tree: BaseTree,
  owner: string,
  entries: readonly DecodedEntry[],
  spool: string,
): void {
  for (const { path, type, mode, uid, gid, target = '', offset, size } of entries) {
    if (MERGED.test(path)) continue
    const common = { mode: mode & 0o1777, uid, gid, owner }
    const known = tree.get(path)
    if (type === 'directory') {
      // A directory that several packages bring keeps what the first said; a link to a directory stays a link.
      if (!known) tree.set(path, { ...common, type })
      continue
    }
    if (known) throw filesClash(path, known.owner, owner)
    if (type === 'symlink') tree.set(path, { ...common, type, target })
    else if (type === 'file') tree.set(path, { ...common, type, content: { spool, offset, size } })
    else if (type === 'link') {
      const original = tree.get(target)
      if (original?.type !== 'file' || original.owner !== owner)
        throw unpackRefused(owner, `/${path} is a second name of /${target}, which it does not bring`)
      tree.set(path, original)
    } else throw unpackRefused(owner, `/${path} is a ${type}`)
  }
}

/** Puts a file of our own in. */
export function putFile(tree: BaseTree, path: string, content: string | Uint8Array, mode = 0o644): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  tree.set(path, { type: 'file', mode, uid: 0, gid: 0, owner: 'base', content: { bytes } })
}

/** Puts a symbolic link in, unless something is there already. */
export function putLink(tree: BaseTree, path: string, target: string): void {
  if (!tree.has(path)) tree.set(path, { type: 'symlink', mode: 0o777, uid: 0, gid: 0, owner: 'base', target })
}

/** Puts a directory in, unless something is there already. */
export function putDirectory(tree: BaseTree, path: string, mode = 0o755, uid = 0, gid = 0): void {
  if (!tree.has(path)) tree.set(path, { type: 'directory', mode, uid, gid, owner: 'base' })
}

/** Adds the directories above every path that nothing has brought. Throws if one of them is a link or a file. */
export function completeParents(tree: BaseTree): void {
  for (const path of [...tree.keys()]) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash)
      const known = tree.get(parent)
      if (!known) putDirectory(tree, parent)
      else if (known.type !== 'directory')
        throw filesClash(parent, known.owner, tree.get(path)?.owner ?? 'base')
    }
  }
}

/** The size of a content in bytes. */
export function sizeOf(content: Content): number {
  return 'bytes' in content ? content.bytes.byteLength : content.size
}

/** The paths of a tree, parents before what is in them, in the order of their bytes. */
export function sortedPaths(tree: BaseTree): string[] {
  return [...tree.keys()].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** A tree as tar entries in the order of their bytes; the first of several hard links carries the content. */
export function* tarEntries(
  tree: BaseTree,
  open: (content: Content) => TarEntry['content'],
): Generator<TarEntry> {
  const first = new Map<Content, string>()
  for (const path of sortedPaths(tree)) {
    const node = tree.get(path) as Node
    const header = { mode: node.mode, uid: node.uid, gid: node.gid, mtime: TIME, size: 0 }
    const name = Buffer.from(node.type === 'directory' ? `${path}/` : path, 'latin1')
    if (node.type === 'directory') yield { ...header, name, type: 'directory' }
    else if (node.type === 'symlink')
      yield { ...header, name, type: 'symlink', linkname: Buffer.from(node.target, 'latin1') }
    else {
      const earlier = first.get(node.content)
      if (earlier !== undefined) {
        yield { ...header, name, type: 'link', linkname: Buffer.from(earlier, 'latin1') }
        continue
      }
      first.set(node.content, path)
      const content = open(node.content)
      yield { ...header, name, type: 'file', size: sizeOf(node.content), ...(content ? { content } : {}) }
    }
  }
}
