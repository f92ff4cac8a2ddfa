import { ProcRefused } from './explain.ts'
import { prepareGround } from './ground.ts'
import { enforcementOf } from './limits/enforce.ts'
import type { Bwrap } from './program.ts'
import { runInBwrap } from './run.ts'
import type { Sandbox } from './spec.ts'

/** A sandbox of Linux namespaces, made by bubblewrap. */
export async function openBwrapSandbox(bwrap: Bwrap, temporary: string): Promise<Sandbox> {
  const ground = await prepareGround(bwrap, temporary)
  let ownProc = true
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
      try {
        return await runInBwrap(ground, ownProc, spec)
      } catch (error) {
        if (!(error instanceof ProcRefused) || !ownProc) throw error
        ownProc = false
        return await runInBwrap(ground, ownProc, spec)
      }
    },
    [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose](),
  }
}
