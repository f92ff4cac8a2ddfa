import { statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Execution, ExecutionOutcome, Executor } from '#lifecycle'
import { isInside, type Report } from '#std'
import type { SandboxExecutor } from './executables.ts'

/** An executor that gets bin/builds ready; those that nobody ran are ended when it is disposed. */
export interface PreparedExecutor extends Required<Executor>, AsyncDisposable {}

export interface PreparedOptions {
  /** Path of Node.js inside. */
  readonly node: string
  /** The directory of the buildpacks that slipway ships; others are not prepared. */
  readonly buildpacks: string
  readonly report: Report
}

/** A process that waits for its call. */
interface Waiting {
  readonly execution: Execution
  /** The directories that it was given; whatever takes the place of one later it does not see. */
  readonly given: readonly string[]
  readonly call: (bytes: Uint8Array) => void
  readonly outcome: Promise<ExecutionOutcome>
  /** Set once it has ended. */
  over: boolean
  /** Where its output goes. */
  output: Execution['output']
  readonly end: AbortController
}

/**
 * Starts slipway's own buildpacks ahead: Node.js and what it loads are there, in the very sandbox that bin/build runs in, when the one before it ends. Such a process gets its words and its
 * environment as JSON at stdin (`main` of `#sdk`). Where what is asked in the end does not fit what was prepared, all begins anew.
 */
export function preparedExecutor(
  executor: SandboxExecutor,
  { node, buildpacks, report }: PreparedOptions,
): PreparedExecutor {
  const waiting = new Map<string, Waiting>()
  return {
    async prepare(execution) {
      const { phase, buildpack } = execution
      const id = buildpack.descriptor.id
      if (phase === 'build' && !waiting.has(id) && isInside(buildpacks, buildpack.root.host))
        waiting.set(id, start(executor, node, execution))
      return true
    },
    async run(execution) {
      const id = execution.buildpack.descriptor.id
      const ready = execution.phase === 'build' ? waiting.get(id) : undefined
      if (!ready) return await executor.run(execution)
      waiting.delete(id)
      if (ready.over || !fits(ready, execution)) {
        report.detail(`${id} was started ahead for nothing`)
        await ended(ready)
        return await executor.run(execution)
      }
      report.detail(`${id} was started ahead`)
      ready.output = execution.output
      const [, ...words] = execution.command
      ready.call(Buffer.from(JSON.stringify({ words: ['build', ...words], environment: execution.env })))
      return await ready.outcome
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...waiting.values()].map(ended))
      waiting.clear()
    },
  }
}

function start(executor: SandboxExecutor, node: string, execution: Execution): Waiting {
  const end = new AbortController()
  const [, ...words] = execution.command
  let call: Waiting['call'] = () => {}
  const stdin = new Promise<Uint8Array>(resolve => (call = resolve))
  const waiting: Waiting = {
    execution,
    given: directoriesOf(execution),
    call,
    end,
    over: false,
    output: execution.output,
    outcome: executor
      .run(
        {
          ...execution,
          command: [node, `${execution.buildpack.root.inside}/main.cjs`, 'called-later', 'build', ...words],
          output: bytes => waiting.output(bytes),
          signal: execution.signal ? AbortSignal.any([execution.signal, end.signal]) : end.signal,
        },
        stdin,
      )
      .finally(() => {
        waiting.over = true
      }),
  }
  // Whoever runs it hears of it.
  waiting.outcome.catch(() => {})
  return waiting
}

async function ended({ end, outcome }: Waiting): Promise<void> {
  end.abort()
  await outcome.catch(() => {})
}

/** True if a process that was prepared is as one that is started now. */
function fits({ execution, given }: Waiting, asked: Execution): boolean {
  return (
    isDeepStrictEqual(lasting(execution), lasting(asked)) && isDeepStrictEqual(given, directoriesOf(asked))
  )
}

/** What a process cannot change about itself once it has started. */
function lasting({ command, cwd, env, readable, writable }: Execution) {
  const variables = Object.entries(env).filter(([name]) => LASTING.test(name))
  return { command, cwd, readable, writable, variables: variables.sort() }
}

/** Variables that Node.js and its libraries look at when they start. */
const LASTING = /^(NODE_|UV_|LC_|LANG|TZ|ICU_|SSL_|OPENSSL_|LD_PRELOAD)/

function directoriesOf({ readable, writable }: Execution): string[] {
  return [...readable, ...writable].map(({ host }) => {
    const { dev, ino } = statSync(host)
    return `${dev} ${ino}`
  })
}
