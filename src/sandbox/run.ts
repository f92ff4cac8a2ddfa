import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { bwrapArguments, DESCRIPTORS } from './arguments.ts'
import { inheritableDescriptors } from './descriptors.ts'
import { explainFailure } from './explain.ts'
import type { Ground } from './ground.ts'
import { type Enforced, enforce, joinCgroup } from './limits/enforce.ts'
import type { Pipe } from './pipes.ts'
import { livingTree, processFacts, signalProcess, untilDead } from './processes.ts'
import type { Outcome, RunSpec } from './spec.ts'
import { errorStream } from './start-errors.ts'
import { readStatus } from './status.ts'
import { checkTargets } from './targets.ts'
import { checkWords } from './words.ts'

/**
 * What a shell sets before bubblewrap starts, because Node cannot for a child alone: the mask for new files, no core dumps.
 */
const PREPARE = 'umask 022; ulimit -c 0; exec "$@"'

/** Runs one program in bubblewrap; `Sandbox.run` says what is promised. `ownProc` is false where no fresh /proc can be mounted. */
export async function runInBwrap(ground: Ground, ownProc: boolean, spec: RunSpec): Promise<Outcome> {
  const root = spec.root
  checkWords(spec)
  if (root === undefined) throw new Error('a root is needed to run in bubblewrap')
  if (spec.signal?.aborted) return { reason: 'aborted', seconds: 0 }
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
  const streams = await connect(ground, spec)
  try {
    const child = start(ground, streams.stdio, words, spec.command)
    streams.handedOver()
    const life = await live(ground, child, { ...spec, mounts })
    await streams.drained()
    const held = streams.errors.finish(life.exitCode === undefined && life.cut === undefined)
    if (life.exitCode === undefined && life.cut === undefined)
      throw await explainFailure(held, spec, ground.bwrap)
    return { ...outcomeOf(life), seconds: (performance.now() - begun) / 1000 }
  } finally {
    streams.release()
  }
}

function start(
  ground: Ground,
  stdio: readonly [Std, Std, Std],
  words: string[],
  command: readonly string[],
): ChildProcess {
  const all: StdioOptions = [...stdio, 'pipe', 'pipe', 'pipe', 'pipe']
  for (const leaked of inheritableDescriptors()) {
    if (leaked >= all.length) while (all.length < leaked) all.push('ignore')
    if (leaked > DESCRIPTORS.gate) all[leaked] = ground.nothing
  }
  const child = spawn(
    '/bin/sh',
    ['-c', PREPARE, 'sh', ...ground.command, '--args', String(DESCRIPTORS.arguments), '--', ...command],
    { env: {}, cwd: '/', detached: true, stdio: all },
  )
  for (const number of Object.values(DESCRIPTORS)) handed(child, number).on('error', () => {})
  handed(child, DESCRIPTORS.arguments).end(words.map(word => `${word}\0`).join(''))
  handed(child, DESCRIPTORS.filter).end(ground.filter ?? '')
  return child
}

/** Our end of a stream that bubblewrap was started with. */
function handed(child: ChildProcess, number: number): Duplex {
  return (child.stdio as unknown as readonly Duplex[])[number] as Duplex
}

type Std = number | 'inherit' | 'ignore'

/** How the life of one sandbox went. */
interface Life {
  readonly exitCode: number | undefined
  /** Why we ended it, if we did. */
  readonly cut: Exclude<Outcome['reason'], 'exit' | 'signal'> | undefined
}

/** Opens the gate once limits are in force, and returns when every process is dead. */
async function live(ground: Ground, child: ChildProcess, spec: RunSpec): Promise<Life> {
  const group = joinCgroup(ground, spec.limits, child.pid)
  group.catch(() => {})
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
    if (facts) signalProcess(facts.pid, 'SIGKILL')
    child.kill('SIGKILL')
  }
  const aborted = () => end('aborted')
  spec.signal?.addEventListener('abort', aborted, { once: true })
  let enforced: Enforced | undefined
  let timer: NodeJS.Timeout | undefined
  try {
    if (spec.signal?.aborted) aborted()
    if (facts && !cut) {
      enforced = await enforce(ground, spec, facts.pid, await group, end)
      if (spec.limits?.seconds !== undefined) timer = setTimeout(end, spec.limits.seconds * 1000, 'timeout')
      handed(child, DESCRIPTORS.gate).end('go')
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

/** Connects stdin, stdout and stderr. */
async function connect(ground: Ground, { stdin, stdout, stderr }: RunSpec) {
  const pipes: Pipe[] = []
  const ends: Promise<void>[] = []
  let input: number | undefined
  const errors = errorStream(typeof stderr === 'function' ? stderr : () => {})
  const take = async () => {
    const pipe = await ground.pipes.take()
    pipes.push(pipe)
    return pipe
  }
  async function forOutput(output: RunSpec['stdout'], receive: (bytes: Uint8Array) => void): Promise<Std> {
    if (output === 'inherit') return 'inherit'
    const { descriptor, output: stream } = (await take()).open()
    stream.on('data', receive)
    ends.push(new Promise(resolve => stream.once('close', () => resolve()).once('error', () => resolve())))
    return descriptor
  }
  async function forInput(): Promise<Std> {
    if (stdin === undefined) return ground.nothing
    if (stdin === 'inherit') return 'inherit'
    input = ground.fileOf(stdin)
    return input
  }
  const stdio: [Std, Std, Std] = [
    await forInput(),
    await forOutput(stdout, typeof stdout === 'function' ? stdout : () => {}),
    await forOutput(stderr, errors.receive),
  ]
  return {
    stdio,
    errors,
    handedOver: () => {
      if (input !== undefined) closeSync(input)
      input = undefined
      for (const pipe of pipes) pipe.handedOver()
    },
    drained: () => Promise.all(ends),
    release: () => {
      for (const pipe of pipes) pipe.release()
    },
  }
}
