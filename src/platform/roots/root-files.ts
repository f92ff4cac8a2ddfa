import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readlink } from 'node:fs/promises'
import { isSystemError } from '#std'

/** A file of an image's root, found without leaving the root. */
export interface Found {
  /** Its path inside, without links. */
  readonly inside: string
  readonly stats: Stats
  /** The host's path of it. */
  readonly host: string
}

/** As many links as the kernel follows in one path (path_resolution(7)). */
const LINKS = 40

/**
 * Finds a path in a root made of directories (lowest first), as a program inside would: links lead within the root only. Undefined if nothing is
 * there. The directories have to be left alone meanwhile.
 */
export async function findInRoot(lower: readonly string[], path: string): Promise<Found | undefined> {
  const pending = stepsOf(path)
  let done: string[] = []
  let last = await look(lower, '')
  for (let links = 0; pending.length > 0; ) {
    const step = pending.shift() as string
    if (step === '..') {
      done.pop()
      last = await look(lower, done.map(each => `/${each}`).join(''))
      continue
    }
    if (!last?.stats.isDirectory()) return undefined
    const inside = [...done, step].map(each => `/${each}`).join('')
    const found = await look(lower, inside)
    if (!found) return undefined
    if (found.stats.isSymbolicLink()) {
      if (++links > LINKS) return undefined
      const target = await readlink(found.host)
      if (target.startsWith('/')) {
        done = []
        last = await look(lower, '')
      }
      pending.unshift(...stepsOf(target))
      continue
    }
    done.push(step)
    last = found
  }
  return last
}

/** The text of a file in the root; undefined if there is none, or it is no ordinary file or longer than a mebibyte. */
export async function readInRoot(lower: readonly string[], path: string): Promise<string | undefined> {
  const found = await findInRoot(lower, path)
  if (!found?.stats.isFile() || found.stats.size > 1 << 20) return undefined
  let file: FileHandle | undefined
  try {
    file = await open(found.host, constants.O_RDONLY | constants.O_NOFOLLOW)
    return await file.readFile('utf8')
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'ENOENT', 'ELOOP')) return undefined
    throw error
  } finally {
    await file?.close()
  }
}

function stepsOf(path: string): string[] {
  return path.split('/').filter(step => step !== '' && step !== '.')
}

/** The highest directory that has something at a path decides what is there. */
async function look(lower: readonly string[], inside: string): Promise<Found | undefined> {
  for (const directory of lower.toReversed()) {
    const host = directory + inside
    try {
      return { inside: inside === '' ? '/' : inside, stats: await lstat(host), host }
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error
      // A file here hides a directory below it.
      if (isSystemError(error, 'ENOTDIR')) return undefined
    }
  }
  return undefined
}
