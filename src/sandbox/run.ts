import { constants } from 'node:os'
import { bwrapArguments, DESCRIPTORS } from './arguments.ts'
import { explainFailure } from './explain.ts'
import type { Ground } from './ground.ts'
import type { Cgroup } from './limits/cgroup.ts'
import { type Enforced, enforce } from './limits/enforce.ts'
import { livingTree, processFacts, signalProcess, untilDead } from './processes.ts'
import type { Ready } from './ready.ts'
import type { Limits, Outcome, RunSpec } from './spec.ts'
import { become, handed, type Starter, startShell } from './starter.ts'
import { readStatus } from './status.ts'
import { checkTargets } from './targets.ts'
import { openWires } from './wires.ts'
import { checkWords } from './words.ts'

/** Runs one program in bubblewrap; `Sandbox.run` says what is promised. `ownProc` is false where no fresh /proc can be mounted. */
export async function runInBwrap(
  ground: Ground,
  ready: Ready,
  ownProc: boolean,
  spec: RunSpec,
): Promise<Outcome> {
  const root = spec.root
  checkWords(spec)
  if (root === undefined) throw new Error('a root is needed to run in bubblewrap')
  if (spec.signal?.aborted) return { reason: 'aborted', seconds: 0 }
  // It may fail before anybody waits for it.
  if (spec.stdin instanceof Promise) spec.stdin.catch(() => {})
  const begun = performance.now()
  const mounts = checkTargets(root, spec.mounts)
  const words = bwrapArguments({ ...spec, mounts }, root, {
    bwrap: ground.bwrap,
    ownProc,
    masks: ground.masks,
    nothing: ground.nothingPath,
    devices: ground.devices,
    filtered: ground.filter !== undefined,
  })
  const prepared = await ready.take(spec)
  const wires = prepared?.wires ?? (await openWires(ground, spec))
  try {
    const { errors, drained } = wires.listen(spec)
    const starter = prepared ?? startShell(ground, wires, spec.limits)
    become(starter, ground, words, spec.command)
    // What is limited already may begin at once: this process may be busy when it would be asked.
    const open = prepared !== undefined && heldBy(await prepared.group, ground, spec.limits)
    if (open) handed(starter.child, DESCRIPTORS.gate).end('go')
    const life = await live(ground, starter, { joined: prepared !== undefined, open }, { ...spec, mounts })
    await drained()
    const held = errors.finish(life.exitCode === undefined && life.cut === undefined)
    if (life.exitCode === undefined && life.cut === undefined)
      throw await explainFailure(held, spec, ground.bwrap)
    return { ...outcomeOf(life), seconds: (performance.now() - begun) / 1000 }
  } finally {
    wires.release()
  }
}

/** How the life of one sandbox went. */
interface Life {
  readonly exitCode: number | undefined
  /** Why we ended it, if we did. */
  readonly cut: Exclude<Outcome['reason'], 'exit' | 'signal'> | undefined
}

/** True if the control group that bubblewrap is in keeps all of these limits that must be in force from the beginning. */
function heldBy(group: Cgroup | undefined, { limitsProcesses }: Ground, limits: Limits = {}): boolean {
  return group !== undefined && !limitsProcesses && limits.diskBytes === undefined
}

/**
 * Opens the gate, unless it is `open`, once limits are in force, and returns when every process is dead. `joined` says that bubblewrap was in its control group before it began, and so is
 * all that it starts.
 */
async function live(
  ground: Ground,
  { child, group }: Starter,
  { joined, open }: { readonly joined: boolean; readonly open: boolean },
  spec: RunSpec,
): Promise<Life> {
  const status = readStatus(handed(child, DESCRIPTORS.status))
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve())
  })
  const first = await Promise.race([status.child, ended.then(() => status.child)])
  const facts = first === undefined ? undefined : await processFacts(first)
  let cut: Life['cut']
  const end = (reason: NonNullable<Life['cut']>) => {
    cut ??= reason
    // bubblewrap first: else it may yet report how the program ended, as if that had been its own doing.
    child.kill('SIGKILL')
    if (facts) signalProcess(facts.pid, 'SIGKILL')
  }
  const aborted = () => end('aborted')
  spec.signal?.addEventListener('abort', aborted, { once: true })
  let enforced: Enforced | undefined
  let timer: NodeJS.Timeout | undefined
  try {
    if (spec.signal?.aborted) aborted()
    if (spec.stdin instanceof Promise) spec.stdin.then(bytes => child.stdin?.end(bytes), aborted)
    else child.stdin?.end()
    if (facts && !cut) {
      enforced = await enforce(ground, spec, { pid: facts.pid, group: await group, joined }, end)
      if (spec.limits?.seconds !== undefined) timer = setTimeout(end, spec.limits.seconds * 1000, 'timeout')
      if (!open) handed(child, DESCRIPTORS.gate).end('go')
      spec.started?.({
        kill: async (signal, whom = 'program') =>
          whom === 'program' ? await signalProgram(facts.pid, signal) : signalProcess(-facts.pid, signal),
      })
    }
    await ended
    if (facts) await untilDead(facts)
    const exitCode = await status.exitCode
    if (await enforced?.ranOutOfMemory()) cut ??= 'memory'
    return { exitCode: cut && exitCode === undefined ? undefined : exitCode, cut: settle(cut, exitCode) }
  } catch (error) {
    end('aborted')
    await ended.catch(() => {})
    if (facts) await untilDead(facts)
    throw error
  } finally {
    clearTimeout(timer)
    spec.signal?.removeEventListener('abort', aborted)
    if (enforced) await enforced[Symbol.asyncDispose]()
    else await (await group.catch(() => undefined))?.[Symbol.asyncDispose]()
  }
}

/** A program that ended by itself in the moment that we wanted to end it has ended by itself; only memory is a reason of its own. */
function settle(cut: Life['cut'], exitCode: number | undefined): Life['cut'] {
  if (cut === 'memory') return exitCode === 0 ? undefined : cut
  return exitCode === undefined ? cut : undefined
}

function outcomeOf({ exitCode, cut }: Life): Pick<Outcome, 'reason'> & Partial<Outcome> {
  if (cut !== undefined) return { reason: cut }
  if (exitCode === undefined) throw new Error('a program ended without a trace')
  const signal = exitCode > 128 ? SIGNAL_NAMES.get(exitCode - 128) : undefined
  return signal ? { exitCode, signal, reason: 'signal' } : { exitCode, reason: 'exit' }
}

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** The program is the second process of its namespace; bubblewrap's own first one collects orphans. */
async function signalProgram(first: number, signal: NodeJS.Signals): Promise<void> {
  const tree = await livingTree(first)
  const program = tree
    .filter(each => each.parent === first)
    .toSorted((a, b) => Number(a.start) - Number(b.start))[0]
  if (program) signalProcess(program.pid, signal)
}
