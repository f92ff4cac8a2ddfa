import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { treeUnreadable } from './export-problems.ts'

/** Kinds of entries that a file system can hold. */
export type TreeType = 'file' | 'directory' | 'symlink' | 'fifo' | 'character' | 'block' | 'socket'

/**
 * One entry of a directory tree as `lstat` sees it. Names are bytes, kept as latin1 text: one character is one byte, so comparing
 * with `<` is comparing bytes.
 */
export interface TreeEntry {
  /** Path below the root, without a leading slash; empty for the root itself. */
  readonly path: string
  readonly type: TreeType
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  /** Bytes of content; 0 for anything but a file. */
  readonly size: number
  /** Target of a symbolic link, bytes as latin1. */
  readonly linkname?: string
  readonly inode: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/** After so many entries other work of the process gets its turn. */
const TURN = 2000

/**
 * Every entry of a tree, the root first, each directory before what is in it, children by the bytes of their names. Links are never
 * followed. Throws a `Problem` (`TREE_UNREADABLE`, exit code 62) naming the first path that cannot be read.
 */
export async function scanTree(root: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  const pending = ['']
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const entry = readEntry(root, path)
    entries.push(entry)
    if (entry.type === 'directory') {
      const names = namesIn(root, path)
      for (let index = names.length - 1; index >= 0; index--) {
        pending.push(path === '' ? (names[index] as string) : `${path}/${names[index]}`)
      }
    }
    if (entries.length % TURN === 0) await setImmediate()
  }
  return entries
}

/** The path of an entry as the file system knows it; as text where that is the same, which is the quicker. */
export function pathOnDisk(root: string, path: string): Buffer | string {
  if (path === '') return root
  return ASCII.test(path)
    ? `${root}/${path}`
    : Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')])
}

const ASCII = /^[\x20-\x7e]*$/

function readEntry(root: string, path: string): TreeEntry {
  const onDisk = pathOnDisk(root, path)
  try {
    const stats = lstatSync(onDisk, { bigint: true })
    const type = typeOf(stats)
    return {
      path,
      type,
      mode: Number(stats.mode) & 0o7777,
      size: type === 'file' ? Number(stats.size) : 0,
      ...(type === 'symlink' && { linkname: readlinkSync(onDisk, 'latin1') }),
      inode: stats.ino,
      mtimeNs: stats.mtimeNs,
      ctimeNs: stats.ctimeNs,
    }
  } catch (error) {
    throw treeUnreadable(onDisk, error)
  }
}

function namesIn(root: string, path: string): string[] {
  const onDisk = pathOnDisk(root, path)
  try {
    return readdirSync(onDisk, { encoding: 'latin1' }).sort()
  } catch (error) {
    throw treeUnreadable(onDisk, error)
  }
}

function typeOf(stats: BigIntStats): TreeType {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  if (stats.isSocket()) return 'socket'
  return stats.isBlockDevice() ? 'block' : 'character'
}
