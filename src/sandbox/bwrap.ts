import { isSystemError } from '#std'
import { ProcRefused } from './explain.ts'
import { prepareGround } from './ground.ts'
import { enforcementOf } from './limits/enforce.ts'
import type { Bwrap } from './program.ts'
import { Ready } from './ready.ts'
import { runInBwrap } from './run.ts'
import type { Outcome, RunSpec, Sandbox } from './spec.ts'

/** A sandbox of Linux namespaces, made by bubblewrap. */
export async function openBwrapSandbox(bwrap: Bwrap, temporary: string): Promise<Sandbox> {
  const ground = await prepareGround(bwrap, temporary)
  const ready = new Ready(ground)
  let ownProc = true
  const attempt = async (spec: RunSpec): Promise<Outcome> => {
    try {
      return await runInBwrap(ground, ready, ownProc, spec)
    } catch (error) {
      if (!(error instanceof ProcRefused) || !ownProc) throw error
      ownProc = false
      return await runInBwrap(ground, ready, ownProc, spec)
    }
  }
  return {
    driver: 'bwrap',
    get description() {
      const notes = [
        ...(ground.filter ? [] : ['no system-call filter for this processor']),
        ...(ownProc ? [] : ['the names of outer processes can be seen']),
      ]
      return `bubblewrap ${bwrap.version}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`
    },
    enforcement: enforcementOf(ground),
    overlays: bwrap.overlays,
    async run(spec) {
      if (spec.stderr === 'inherit') await prove(spec, attempt)
      return await attempt(spec)
    },
    prepare: (limits, stdin) => ready.prepare(limits, stdin === 'promised'),
    async [Symbol.asyncDispose]() {
      await ready.dispose()
      await ground[Symbol.asyncDispose]()
    },
  }
}

/** A directory: it is there in every root, and can never be executed. */
const NO_PROGRAM = '/'

/**
 * Goes all the way but for the program. Where a program writes to our own stderr, bubblewrap does too, and what it complains of could neither be
 * understood nor kept from the reader; so that is found out before.
 */
async function prove(spec: RunSpec, attempt: (spec: RunSpec) => Promise<Outcome>): Promise<void> {
  const { limits: _, started: __, stdin: ___, ...same } = spec
  try {
    await attempt({ ...same, command: [NO_PROGRAM], stdout: 'ignore', stderr: () => {} })
  } catch (error) {
    if (!isSystemError(error, 'SANDBOX_COMMAND_MISSING')) throw error
  }
}
