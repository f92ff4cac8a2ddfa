import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { livingTree } from '../processes.ts'
import { watchDisk } from './disk.ts'

/** What to look at again and again, because the kernel does not watch it for us here. */
export interface Watched {
  readonly memoryBytes?: number
  readonly processes?: number
  readonly disk?: { readonly bytes: number; readonly directories: readonly string[] }
}

/** Milliseconds between two looks. */
const PAUSE = 200

/**
 * Looks after a process and all that it started until `over` is aborted. Resolves with what went over its limit, or undefined.
 * Between two looks a program can use more than its share; that is what the kernel's own limits are better at.
 */
export async function supervise(
  pid: number,
  { memoryBytes, processes, disk }: Watched,
  over: AbortSignal,
): Promise<'memory' | 'processes' | 'disk' | undefined> {
  const fullDisk = disk && watchDisk(disk.directories, disk.bytes)
  while (!over.aborted) {
    await sleep(PAUSE, undefined, { signal: over }).catch(() => {})
    if (over.aborted) return undefined
    if (memoryBytes !== undefined || processes !== undefined) {
      const tree = await livingTree(pid)
      const threads = tree.reduce((sum, each) => sum + each.threads, 0)
      if (processes !== undefined && threads > processes) return 'processes'
      if (memoryBytes !== undefined) {
        const used = await Promise.all(tree.map(each => memoryOf(each.pid)))
        if (used.reduce((sum, bytes) => sum + bytes, 0) > memoryBytes) return 'memory'
      }
    }
    if (await fullDisk?.(over)) return 'disk'
  }
  return undefined
}

/** Bytes of memory that a process has for itself: anonymous, shared without a file, swapped out (proc_pid_status(5)). */
async function memoryOf(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'latin1')
    const kilobytes = ['RssAnon', 'RssShmem', 'VmSwap'].map(name =>
      Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0),
    )
    return kilobytes.reduce((sum, each) => sum + each, 0) * 1024
  } catch {
    return 0
  }
}
