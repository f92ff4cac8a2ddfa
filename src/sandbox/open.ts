import { Problem } from '#std'
import { openBwrapSandbox } from './bwrap.ts'
import { openPlainSandbox } from './plain.ts'
import { startFailed } from './problems.ts'
import { type Bwrap, type BwrapProgram, describeBwrap, findBwrap } from './program.ts'
import type { Sandbox } from './spec.ts'

/** What a sandbox is opened with. */
export interface SandboxOptions {
  /** Directory for temporary files (pipes, a copy of bubblewrap); made if missing. */
  readonly temporary: string
  /** For `PATH`, and to notice a container. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Hands in a bubblewrap when PATH has none that will do: fetched on demand by the platform. */
  readonly fetchBwrap?: () => Promise<BwrapProgram>
  /** Overlays are wanted (for `EphemeralRoot`): a bubblewrap of PATH that has none is used only if no other can be fetched. */
  readonly overlays?: boolean
  /** Default `auto`: bwrap; `plain` is used only where it is named here. */
  readonly driver?: 'auto' | 'bwrap' | 'plain'
}

/**
 * Opens the sandbox of this machine: bubblewrap from PATH (0.8 or newer), else the fetched one. Never falls back silently: where
 * there is no bubblewrap it throws a `Problem` (`SANDBOX_START_FAILED`), as does the first run where the machine lacks what bubblewrap needs.
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  if (options.driver === 'plain') return openPlainSandbox(options.environment)
  return openBwrapSandbox(await chooseBwrap(options), options.temporary)
}

async function chooseBwrap({ environment, fetchBwrap, overlays, temporary }: SandboxOptions): Promise<Bwrap> {
  const found = await findBwrap(environment.PATH, temporary)
  if (!('unusable' in found) && (!overlays || found.overlays || !fetchBwrap)) return found
  if (!fetchBwrap) throw noBwrap('unusable' in found ? found.unusable : '')
  try {
    const fetched = await describeBwrap(await fetchBwrap(), temporary)
    if ('unusable' in fetched) throw noBwrap(fetched.unusable)
    return fetched
  } catch (error) {
    if ('unusable' in found || !(error instanceof Problem)) throw error
    return found
  }
}

function noBwrap(why: string) {
  return startFailed(
    why,
    'Install bubblewrap 0.8 or newer, or give slipway a package source to fetch it from.',
  )
}
