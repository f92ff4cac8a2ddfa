import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readIfExists } from './files.ts'
import { isSystemError } from './problem.ts'

/** A lock that is held until disposed. */
export interface Held extends AsyncDisposable {}

/** A thief that died in the middle of taking over a dead owner's lock is forgotten after this many milliseconds. */
const THEFT = 10_000

/** Waits for a lock shared by all processes of this machine; a lock whose owner has died (also by kill -9) does not count. */
export async function lockFile(path: string, signal?: AbortSignal): Promise<Held> {
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    const held = await tryLockFile(path)
    if (held) return held
    signal?.throwIfAborted()
    await sleep(pause)
  }
}

/** Takes the lock if it is free; undefined if a live process has it. */
export async function tryLockFile(path: string): Promise<Held | undefined> {
  await mkdir(dirname(path), { recursive: true })
  const own = join(dirname(path), `.${randomBytes(8).toString('hex')}.lock`)
  // A link is made whole or not at all, so a lock is never seen without its owner's name in it.
  await writeFile(own, await thisProcess(), { flag: 'wx' })
  try {
    if (!(await linked(own, path))) {
      const owner = await readIfExists(path)
      if (owner === undefined || (await isAlive(owner))) return undefined
      await takeAway(path, own)
      if (!(await linked(own, path))) return undefined
    }
  } finally {
    await rm(own, { force: true })
  }
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/** Removes the lock of a dead owner. Only one process at a time may do that, or it could remove the lock of the next owner. */
async function takeAway(path: string, own: string): Promise<void> {
  const theft = `${path}.theft`
  if (!(await linked(own, theft))) {
    const since = await stat(theft).catch(() => undefined)
    if (since && Date.now() - since.ctimeMs > THEFT) await rm(theft, { force: true })
    return
  }
  try {
    const owner = await readIfExists(path)
    if (owner !== undefined && !(await isAlive(owner))) await rm(path, { force: true })
  } finally {
    await rm(theft, { force: true })
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false
    throw error
  }
}

/** Names this process so that its end can be noticed even when its number is given to another. */
export async function thisProcess(): Promise<string> {
  return `${process.pid} ${await startTime(process.pid)}`
}

/** True if the process that `thisProcess` named still runs. */
export async function isAlive(owner: string): Promise<boolean> {
  const [pid, start] = owner.split(' ')
  if (!/^\d+$/.test(pid ?? '')) return false
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false
  }
  return start === (await startTime(Number(pid)))
}

/** Clock ticks since boot at which a process started (proc(5), stat field 22); `-` where there is no /proc, `ended` where only its parent has not noticed its end. */
async function startTime(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1')
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? 'ended' : (fields[18] ?? '-')
  } catch {
    return '-'
  }
}
