import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessFacts } from '../processes.ts'
import { watchDisk } from './disk.ts'
import { watchMemory } from './memory.ts'

/** What to look at again and again, because the kernel does not watch it for us here. */
export interface Watched {
  /** `places` reach the memory file systems that count too. */
  readonly memory?: { readonly bytes: number; readonly places: readonly string[] }
  readonly processes?: number
  readonly disk?: { readonly bytes: number; readonly directories: readonly string[] }
}

/** Milliseconds between two looks. */
const PAUSE = 200

/**
 * Looks after the processes that `living` finds until `over` is aborted. Resolves with what went over its limit, or undefined.
 * Between two looks a program can use more than its share; that is what the kernel's own limits are better at.
 */
export async function supervise(
  living: () => Promise<readonly ProcessFacts[]>,
  { memory, processes, disk }: Watched,
  over: AbortSignal,
): Promise<'memory' | 'processes' | 'disk' | undefined> {
  const pids = async () => (await living()).map(({ pid }) => pid)
  const fullDisk = disk && watchDisk(disk.directories, disk.bytes, pids)
  const fullMemory = memory && watchMemory(memory.bytes, memory.places)
  while (!over.aborted) {
    await sleep(PAUSE, undefined, { signal: over }).catch(() => {})
    if (over.aborted) return undefined
    if (processes !== undefined || fullMemory) {
      const tree = await living()
      const threads = tree.reduce((sum, each) => sum + each.threads, 0)
      if (processes !== undefined && threads > processes) return 'processes'
      if (await fullMemory?.(tree.map(({ pid }) => pid))) return 'memory'
    }
    if (await fullDisk?.(over)) return 'disk'
  }
  return undefined
}
