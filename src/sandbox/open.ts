import type { BwrapProgram } from './program.ts'
import type { Sandbox } from './spec.ts'

/** What a sandbox is opened with. */
export interface SandboxOptions {
  /** Directory for temporary files (pipes, a copy of bubblewrap); made if missing. */
  readonly temporary: string
  /** For `PATH`, and to notice a container. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Hands in a bubblewrap when PATH has none that will do: fetched on demand by the platform. */
  readonly fetchBwrap?: () => Promise<BwrapProgram>
  /** Default `auto`: bwrap; `plain` is used only where it is named here. */
  readonly driver?: 'auto' | 'bwrap' | 'plain'
}

/**
 * Opens the sandbox of this machine: bubblewrap from PATH (0.8 or newer), else the fetched one. Never falls back silently: where
 * no namespaces can be had it throws a `Problem` that explains what the machine lacks.
 */
export async function openSandbox(_options: SandboxOptions): Promise<Sandbox> {
  throw new Error('not written yet')
}
