import { createHash } from 'node:crypto'
import { byBytes, type Digest } from '#std'
import { archiveRefused } from './problems.ts'

/** A file whose bytes lie somewhere on this machine under a name that no archive chose. */
export interface TreeFile {
  readonly type: 'file'
  readonly content: string
  readonly sha256: string
  readonly size: number
  readonly executable: boolean
}

export interface TreeLink {
  readonly type: 'symlink'
  readonly target: string
}

/** A directory that is there even if it is empty; all others follow from the paths of files. */
export interface TreeDirectory {
  readonly type: 'directory'
}

export type TreeNode = TreeFile | TreeLink | TreeDirectory

/** What an archive unpacks to, held in memory: relative paths without `.` and `..`, and what is there. */
export type Tree = Map<string, TreeNode>

/**
 * The path in a tree that an archive's entry means. The root is the empty path. Refuses (a `Problem`) whatever could
 * mean another place: absolute paths (unless `absolute`, as in Debian packages), `..`, backslashes, NUL, overlong names.
 */
export function treePath(name: string, archive: string): string {
  const bare = name.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '')
  if (bare === '' || bare === '.') return ''
  const wrong = (why: string) => archiveRefused(archive, name, why)
  if (bare.startsWith('/')) throw wrong('has an absolute name')
  if (bare.includes('\\') || /[\u0000-\u001f\u007f\ufffd]/.test(bare))
    throw wrong('has a name with forbidden characters')
  if (Buffer.byteLength(bare) > 2000) throw wrong('has a name of more than 2000 bytes')
  for (const part of bare.split('/')) {
    if (part === '' || part === '.' || part === '..') throw wrong('has a name that leads elsewhere')
    if (Buffer.byteLength(part) > 255) throw wrong('has a name part of more than 255 bytes')
  }
  return bare
}

/** Puts an entry into a tree. Refuses what would pass through a link or a file, or replace something. */
export function place(tree: Tree, path: string, node: TreeNode, archive: string): void {
  if (path === '') {
    if (node.type !== 'directory') throw archiveRefused(archive, '.', 'replaces the root')
    return
  }
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
    const parent = path.slice(0, end)
    const there = tree.get(parent)
    if (there === undefined) tree.set(parent, { type: 'directory' })
    else if (there.type !== 'directory')
      throw archiveRefused(archive, path, `lies below ${parent}, which is no directory`)
  }
  const there = tree.get(path)
  if (there === undefined) tree.set(path, node)
  else if (there.type !== 'directory' || node.type !== 'directory')
    throw archiveRefused(archive, path, 'is in it twice')
}

/** The directory of a path, empty at the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/**
 * Where a link's target leads, by the text alone and with the tree's root as `/`; `undefined` where it climbs out of it.
 */
export function targetOf(path: string, target: string): string | undefined {
  const parts = target.startsWith('/') ? [] : parentOf(path).split('/').filter(Boolean)
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts.join('/')
}

/** The path that is left after every link on the way was followed inside the tree; `undefined` if it leads nowhere. */
export function follow(tree: Tree, path: string, steps = 40): string | undefined {
  if (path === '') return ''
  const parts = path.split('/')
  for (let count = 1; count <= parts.length; count++) {
    const here = parts.slice(0, count).join('/')
    const node = tree.get(here)
    if (node === undefined) return undefined
    if (node.type !== 'symlink') continue
    const target = targetOf(here, node.target)
    if (target === undefined || steps === 0) return undefined
    return follow(tree, [target, ...parts.slice(count)].filter(Boolean).join('/'), steps - 1)
  }
  return path
}

/**
 * One digest for a tree and for how it was made: types, executable bits, paths, contents, link targets. Ownership and
 * times are not part of it.
 */
export function treeDigest(tree: Tree, recipe: string): Digest {
  const hash = createHash('sha256').update(`slipway tree 1\n${recipe}\n`)
  for (const path of [...tree.keys()].toSorted(byBytes)) {
    const node = tree.get(path)
    if (node?.type === 'file') hash.update(`${node.executable ? 'program' : 'file'} ${node.sha256} ${path}\n`)
    if (node?.type === 'symlink') hash.update(`link ${JSON.stringify(node.target)} ${path}\n`)
    if (node?.type === 'directory') hash.update(`directory ${path}\n`)
  }
  return `sha256:${hash.digest('hex')}` as Digest
}
