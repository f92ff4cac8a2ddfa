import type { DebianArchive } from '#sources'
import type { Report } from '#std'
import type { Finding } from './finding.ts'
import { checkMachine } from './machine.ts'
import { checkSandbox } from './sandbox.ts'
import { checkSources } from './sources.ts'

/** What an examination of this machine is handed. */
export interface DoctorOptions {
  /** The state directory of slipway. */
  readonly home: string
  /** The home directory of the user. */
  readonly userHome: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly report: Report
  readonly sources: { readonly archive: () => Promise<DebianArchive> }
}

/**
 * Looks at everything that builds and runs need of a machine, by using it where that is possible: the sandbox is started, Debian's archive is asked. Each finding comes as soon as it is
 * known. Changes nothing, but for a bubblewrap that is fetched where there is none.
 */
export async function* examine(options: DoctorOptions): AsyncGenerator<Finding> {
  let usable = true
  for await (const finding of checkMachine(options)) {
    usable &&= finding.state !== 'missing'
    yield finding
  }
  // The rest needs Linux, and a place to put things.
  if (!usable) return
  yield* checkSandbox(options)
  yield* checkSources(options)
}
