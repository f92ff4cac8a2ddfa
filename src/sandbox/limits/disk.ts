import { lstat, readdir, statfs } from 'node:fs/promises'
import { unnamedFiles } from './open-files.ts'

/** Milliseconds after which everything is counted again, even if free space says that nothing was added. */
const RECOUNT = 15_000

/**
 * A question to be asked often: do these directories hold more than `limit` bytes on disk? Counting files is dear, so it is done only when the file
 * systems have lost as much free space as was left of the limit at the last count, or that count is old. Files that the processes removed and
 * still have open count too.
 */
export function watchDisk(
  directories: readonly string[],
  limit: number,
  pids: () => Promise<readonly number[]>,
): (over: AbortSignal) => Promise<boolean> {
  let left = -1
  let freeThen = 0
  let countedAt = 0
  return async over => {
    const free = await freeBytes(directories)
    const now = performance.now()
    if (left >= 0 && freeThen - free < left && now - countedAt < RECOUNT) return false
    const devices = new Set(await Promise.all(directories.map(async each => (await lstat(each)).dev)))
    const { disk: unnamed } = await unnamedFiles(await pids(), devices)
    const used = unnamed + (await usedBytes(directories, over))
    left = limit - used
    freeThen = free
    countedAt = performance.now()
    return left < 0
  }
}

async function freeBytes(directories: readonly string[]): Promise<number> {
  const bySystem = new Map<number, number>()
  for (const directory of directories) {
    const { dev } = await lstat(directory)
    const { bfree, bsize } = await statfs(directory)
    bySystem.set(dev, bfree * bsize)
  }
  return [...bySystem.values()].reduce((sum, each) => sum + each, 0)
}

/** Bytes that the files below these directories take up on disk; links are not followed, what vanishes meanwhile counts as nothing. */
export async function usedBytes(directories: readonly string[], over?: AbortSignal): Promise<number> {
  let sum = 0
  const pending: Buffer[] = directories.map(directory => Buffer.from(directory))
  const seen = new Set<string>()
  for (let next = pending.pop(); next !== undefined && !over?.aborted; next = pending.pop()) {
    try {
      const stats = await lstat(next)
      // A file with several names takes its room once.
      const identity = `${stats.dev}:${stats.ino}`
      if (stats.nlink > 1 && !stats.isDirectory()) {
        if (seen.has(identity)) continue
        seen.add(identity)
      }
      sum += stats.blocks * 512
      if (stats.isDirectory()) pending.push(...(await pathsIn(next)))
    } catch {
      // It was removed while we looked.
    }
  }
  return sum
}

/** Names are bytes: one that is no text still takes up room. */
async function pathsIn(directory: Buffer): Promise<Buffer[]> {
  const names = await readdir(directory, { encoding: 'buffer' })
  return names.map(name => Buffer.concat([directory, Buffer.from('/'), name]))
}
