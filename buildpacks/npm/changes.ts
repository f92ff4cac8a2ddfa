import { lstat, mkdtemp, readdir, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSystemError } from '#sdk'
import { LEFT_BEHIND } from './modules.ts'

/** A point in time by the clock of the file system, and the names that were at the top of each directory. */
export interface Mark {
  readonly time: bigint
  readonly tops: ReadonlyMap<string, string>
}

/** Remembers now, for `changedSince`. */
export async function markNow(project: string, directories: readonly string[]): Promise<Mark> {
  const tops = new Map<string, string>()
  for (const directory of directories) tops.set(directory, await topOf(join(project, directory)))
  const scratch = await mkdtemp(join(tmpdir(), 'mark-'))
  const { ctimeNs } = await lstat(scratch, { bigint: true })
  await rmdir(scratch)
  return { time: ctimeNs, tops }
}

/**
 * True if anything in the directories was written, added or removed since the mark, but for what programs leave behind at their tops. Nobody can set
 * the time of change of a file (inode(7)). What changed in the same tick as the mark counts as older: it takes longer than that to start a program.
 */
export async function changedSince(project: string, { time, tops }: Mark): Promise<boolean> {
  for (const [directory, top] of tops) {
    const place = join(project, directory)
    if ((await topOf(place)) !== top) return true
    for (const name of await namesIn(place))
      if (!LEFT_BEHIND.includes(name) && (await newer(join(place, name), time))) return true
  }
  return false
}

async function topOf(directory: string): Promise<string> {
  return JSON.stringify((await namesIn(directory)).filter(name => !LEFT_BEHIND.includes(name)))
}

async function newer(path: string, time: bigint): Promise<boolean> {
  const stats = await lstat(path, { bigint: true })
  if (stats.ctimeNs > time) return true
  if (!stats.isDirectory()) return false
  const answers = await Promise.all((await readdir(path)).map(name => newer(join(path, name), time)))
  return answers.includes(true)
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}
