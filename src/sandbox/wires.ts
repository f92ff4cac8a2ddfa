import { closeSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Ground } from './ground.ts'
import type { Pipe } from './pipes.ts'
import type { RunSpec } from './spec.ts'
import { type ErrorStream, errorStream } from './start-errors.ts'

/** What one end of a standard stream is for the program that is started. */
type Std = number | 'inherit' | 'pipe'

/** stdin, stdout and stderr of a program that is about to start. */
export interface Wires {
  readonly stdio: readonly [Std, Std, Std]
  /** Passes on what comes from now on. */
  listen(spec: Pick<RunSpec, 'stdout' | 'stderr'>): Listening
  /** Closes our copies of what the program was handed. */
  handedOver(): void
  /** Ends their use; every process that had them is dead. */
  release(): void
}

export interface Listening {
  readonly errors: ErrorStream
  /** Resolves when all that the program wrote has been passed on. */
  drained(): Promise<unknown>
}

/** Opens the streams of one run. */
export async function openWires(
  ground: Pick<Ground, 'pipes' | 'nothing' | 'fileOf'>,
  { stdin, stdout, stderr }: Pick<RunSpec, 'stdin' | 'stdout' | 'stderr'>,
): Promise<Wires> {
  const pipes: Pipe[] = []
  const take = async (output: RunSpec['stdout']) => {
    if (output === 'inherit') return undefined
    const pipe = await ground.pipes.take()
    pipes.push(pipe)
    return pipe.open()
  }
  let input = stdin instanceof Uint8Array ? ground.fileOf(stdin) : undefined
  const out = await take(stdout)
  const error = await take(stderr)
  return {
    stdio: [
      stdin === 'inherit' ? 'inherit' : stdin instanceof Promise ? 'pipe' : (input ?? ground.nothing),
      out?.descriptor ?? 'inherit',
      error?.descriptor ?? 'inherit',
    ],
    listen({ stdout, stderr }) {
      const errors = errorStream(typeof stderr === 'function' ? stderr : () => {})
      const ends = [
        passedOn(out?.output, typeof stdout === 'function' ? stdout : () => {}),
        passedOn(error?.output, errors.receive),
      ]
      return { errors, drained: () => Promise.all(ends) }
    },
    handedOver() {
      if (input !== undefined) closeSync(input)
      input = undefined
      for (const pipe of pipes) pipe.handedOver()
    },
    release() {
      for (const pipe of pipes) pipe.release()
    },
  }
}

function passedOn(
  stream: Socket | undefined,
  receive: (bytes: Uint8Array) => void,
): Promise<void> | undefined {
  stream?.on('data', receive)
  return (
    stream && new Promise(resolve => stream.once('close', () => resolve()).once('error', () => resolve()))
  )
}
