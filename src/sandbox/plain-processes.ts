import { readFile, stat } from 'node:fs/promises'
import { allProcesses, livingTree, type ProcessFacts, signalProcess } from './processes.ts'

/** The processes of one run without a process namespace. */
export interface PlainProcesses {
  /** All that live now, as far as they can be told. */
  living(): Promise<readonly ProcessFacts[]>
  /** Kills them, again and again until none is left. */
  endAll(): Promise<void>
}

/** Sessions of the runs under way: what one run starts is no stray of another. */
const sessions = new Set<number>()

/**
 * Follows what a run starts: by descent, by the session of its first process, and by `mark`, a word (`NAME=VALUE`) of its environment. A program that shook off
 * all three has lost its parent to `init` and begun a session of its own since `before`; root has too many such processes for that to be a sign.
 */
export function followProcesses(leader: number, mark: string, before: Before): PlainProcesses {
  const own = process.getuid?.() ?? 0
  sessions.add(leader)
  const strayed = async ({ pid, parent, session, start }: ProcessFacts) =>
    own !== 0 &&
    parent === 1 &&
    Number(start) >= before.newest &&
    !before.sessions.has(session) &&
    // Where this process is `init` itself, as in a container, the programs of all its runs are children of `init`.
    !sessions.has(session) &&
    (await ownerOf(pid)) === own
  const living = async () => {
    const all = await allProcesses()
    const found = new Map<number, ProcessFacts>()
    for (const each of all) {
      if (found.has(each.pid) || each.pid === process.pid) continue
      const ours = each.pid === leader || each.session === leader || (await carries(each.pid, mark))
      if (!ours && !(await strayed(each))) continue
      for (const one of await livingTree(each.pid, all)) found.set(one.pid, one)
    }
    return [...found.values()]
  }
  return {
    living,
    async endAll() {
      for (let left = await living(); left.length > 0; left = await living())
        for (const { pid } of left) signalProcess(pid, 'SIGKILL')
      sessions.delete(leader)
    },
  }
}

/** What there was before a run. */
export interface Before {
  readonly sessions: ReadonlySet<number>
  /** When the youngest process started, in clock ticks since boot. */
  readonly newest: number
}

export async function lookBefore(): Promise<Before> {
  const all = await allProcesses()
  return {
    sessions: new Set(all.map(({ session }) => session)),
    newest: Math.max(0, ...all.map(({ start }) => Number(start))),
  }
}

async function carries(pid: number, mark: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
  return environment.split('\0').includes(mark)
}

async function ownerOf(pid: number): Promise<number | undefined> {
  return (await stat(`/proc/${pid}`).catch(() => undefined))?.uid
}
