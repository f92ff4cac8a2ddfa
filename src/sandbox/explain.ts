import type { Problem } from '#std'
import { whyNoNamespaces } from './namespaces.ts'
import { commandMissing, noOverlays, startFailed } from './problems.ts'
import type { Bwrap } from './program.ts'
import type { RunSpec } from './spec.ts'

/** True if bubblewrap failed because a fresh /proc cannot be mounted here, as in containers that cover parts of theirs. */
export function isProcRefused(said: string): boolean {
  return /Can't mount proc on/.test(said)
}

/** Thrown by a run that could not start because of /proc; the sandbox then tries the other way. */
export class ProcRefused extends Error {}

/** Turns what bubblewrap said when it could not start a program into a failure that a person can act on. */
export async function explainFailure(
  said: string,
  { command, cwd, stderr }: RunSpec,
  { version }: Bwrap,
): Promise<Problem | ProcRefused> {
  const words = said.replaceAll(/^bwrap: /gm, '').trim()
  if (isProcRefused(said)) return new ProcRefused(words)
  const missing = /^execvp (.*?): (.*)$/m.exec(words)
  if (missing) return commandMissing(command[0] ?? '', missing[2] ?? '')
  if (/Can't chdir to/.test(words))
    return startFailed(
      `the working directory ${cwd} does not exist in it`,
      'Use a directory that the root or a mount has.',
    )
  if (/overlay/i.test(words)) return noOverlays(`bubblewrap ${version} says: ${words}`)
  if (/namespace|uid map|gid map|Operation not permitted|EPERM|No permissions/i.test(words)) {
    const refusal = await whyNoNamespaces()
    return startFailed(
      `${refusal ? `${refusal.why}; ` : ''}bubblewrap ${version} may not make its namespaces here: ${words}`,
      refusal?.fix ?? 'Run `slipway doctor`: it tells what this machine has and lacks.',
    )
  }
  return startFailed(
    words === ''
      ? `bubblewrap ${version} ${stderr === 'inherit' ? 'ended; its words are above' : 'ended without saying why'}`
      : `bubblewrap ${version} says: ${words}`,
    'Run `slipway doctor`; if all is well there, this is a mistake in slipway.',
  )
}
