import { isDeepStrictEqual } from 'node:util'
import type { Ground } from './ground.ts'
import type { Limits, RunSpec } from './spec.ts'
import { type Starter, startShell } from './starter.ts'
import { openWires } from './wires.ts'

/**
 * Keeps one starter ahead, for programs whose output we read. The kernel takes some 10 to 20 ms to let a process into a control group; one that was
 * started before it is needed has that behind it.
 */
export class Ready {
  readonly #ground: Ground
  #next:
    | { readonly limits: Limits; readonly promised: boolean; readonly starter: Promise<Starter> }
    | undefined

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Starts one for a run with these limits, whose stdin is empty or, if it is `promised`, may be so; unless one is there. */
  prepare(limits: Limits, promised: boolean): void {
    if (this.#next) return
    const streams = { stdout: () => {}, stderr: () => {}, ...(promised && { stdin: NEVER }) }
    const starter = openWires(this.#ground, streams).then(wires => startShell(this.#ground, wires, limits))
    starter.catch(() => {})
    this.#next = { limits, promised, starter }
  }

  /** The one that was started, if it fits the run and lives. */
  async take({ stdin, stdout, stderr, limits }: RunSpec): Promise<Starter | undefined> {
    const next = this.#next
    if (!next || typeof stdout !== 'function' || typeof stderr !== 'function') return undefined
    const fits = stdin === undefined || (stdin instanceof Promise && next.promised)
    if (!fits || !isDeepStrictEqual(limits, next.limits)) return undefined
    this.#next = undefined
    const starter = await next.starter
    if (await starter.group.then(alive(starter), () => false)) return starter
    await end(starter)
    return undefined
  }

  /** Ends the one that nobody took. */
  async dispose(): Promise<void> {
    const next = this.#next
    this.#next = undefined
    if (next) await next.starter.then(end, () => {})
  }
}

/** Stands for bytes that whoever takes the starter will bring. */
const NEVER = new Promise<Uint8Array>(() => {})

function alive({ child }: Starter): () => boolean {
  return () => child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

async function end(starter: Starter): Promise<void> {
  const { child, group, wires } = starter
  if (alive(starter)()) {
    const ended = new Promise(done => child.once('exit', done))
    child.kill('SIGKILL')
    await ended
  }
  await (await group.catch(() => undefined))?.[Symbol.asyncDispose]()
  wires.release()
}
