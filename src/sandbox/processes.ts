import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** What /proc says of a process. */
export interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly session: number
  /** `Z` and `X` are dead already. */
  readonly state: string
  /** Clock ticks since boot; tells a process from a later one of the same number. */
  readonly start: string
  readonly threads: number
}

/** One process, or undefined if it is gone (proc_pid_stat(5)). */
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state = '?', parent = '0', , session = '0'] = fields
    return {
      ...{ pid, parent: Number(parent), session: Number(session), state },
      ...{ start: fields[19] ?? '0', threads: Number(fields[17] ?? 1) },
    }
  } catch {
    return undefined
  }
}

/** Every process that can be seen and is not dead. */
export async function allProcesses(): Promise<ProcessFacts[]> {
  const numbers = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const facts = await Promise.all(numbers.map(name => processFacts(Number(name))))
  return facts.filter(
    each => each !== undefined && each.state !== 'Z' && each.state !== 'X',
  ) as ProcessFacts[]
}

/** All living descendants of a process, itself included. Orphans of a process namespace are children of its first process, so none is missed. */
export async function livingTree(root: number, all?: readonly ProcessFacts[]): Promise<ProcessFacts[]> {
  const children = new Map<number, ProcessFacts[]>()
  let tree: ProcessFacts[] = []
  for (const each of all ?? (await allProcesses())) {
    if (each.pid === root) tree = [each]
    children.set(each.parent, [...(children.get(each.parent) ?? []), each])
  }
  for (let index = 0; index < tree.length; index++) tree.push(...(children.get(tree[index]!.pid) ?? []))
  return tree
}

/** Resolves once a process is dead: gone, waiting to be collected, or its number given to another. */
export async function untilDead({ pid, start }: Pick<ProcessFacts, 'pid' | 'start'>): Promise<void> {
  for (let pause = 0; ; pause = Math.min(pause + 1, 20)) {
    const facts = await processFacts(pid)
    if (!facts || facts.start !== start || facts.state === 'Z' || facts.state === 'X') return
    await sleep(pause)
  }
}

/** Sends a signal; a process that is gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended in between.
  }
}
