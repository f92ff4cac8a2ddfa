import { readFile, statfs } from 'node:fs/promises'
import { unnamedFiles } from './open-files.ts'

/** Looks at the files without a name again at least every so many questions. */
const SELDOM = 25
/** Bytes by which the machine's shared memory has to change for them to be looked at at once. */
const NOTICE = 4 << 20

/**
 * A question to be asked often: do these processes use more memory than `limit`? `places` are memory file systems, as paths that reach them. What
 * processes share is counted once. A first, cheap sum errs on the high side, and only if that is over is the exact one made.
 */
export function watchMemory(
  limit: number,
  places: readonly string[],
): (pids: readonly number[]) => Promise<boolean> {
  let unnamed = 0
  let sharedThen = Number.NaN
  let questions = 0
  return async pids => {
    const shared = fieldOf(await text('/proc/meminfo'), 'Shmem')
    if (!(Math.abs(shared - sharedThen) < NOTICE) || questions++ % SELDOM === 0) {
      unnamed = (await unnamedFiles(pids, new Set())).memory
      sharedThen = shared
    }
    const files = unnamed + (await usedIn(places))
    const rough = await sumOf(pids, 'status', ['RssAnon', 'VmSwap'], ['RssShmem'])
    if (rough.own + Math.max(rough.shared, files) <= limit) return false
    const exact = await sumOf(pids, 'smaps_rollup', ['Pss_Anon', 'SwapPss'], ['Pss_Shmem'])
    return exact.own + Math.max(exact.shared, files) > limit
  }
}

async function usedIn(places: readonly string[]): Promise<number> {
  let sum = 0
  for (const place of places) {
    const found = await statfs(place).catch(() => undefined)
    if (found) sum += (found.blocks - found.bfree) * found.bsize
  }
  return sum
}

/** Sums fields of /proc/PID/FILE (proc_pid_status(5), proc_pid_smaps(5)); `shared` may be in several processes at once. */
async function sumOf(
  pids: readonly number[],
  file: 'status' | 'smaps_rollup',
  own: readonly string[],
  shared: readonly string[],
): Promise<{ own: number; shared: number }> {
  const texts = await Promise.all(pids.map(pid => text(`/proc/${pid}/${file}`)))
  const add = (names: readonly string[]) =>
    texts.reduce((sum, each) => sum + names.reduce((inner, name) => inner + fieldOf(each, name), 0), 0)
  return { own: add(own), shared: add(shared) }
}

/** Bytes that a line `NAME: NUMBER kB` says; 0 without one. */
function fieldOf(lines: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(lines)?.[1] ?? 0) * 1024
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1')
  } catch {
    return ''
  }
}
