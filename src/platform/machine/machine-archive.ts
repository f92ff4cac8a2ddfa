import { type MachineSources, openMachineSources } from '#runtimes'
import type { DebianArchive } from '#sources'
import { printCertificates, type Report } from '#std'
import { findCertificates } from './extra-certificates.ts'

/** What a job that may have to fetch packages is handed. */
export interface ArchiveOptions {
  /** The state directory of slipway. */
  readonly home: string
  /** The home directory of the user. */
  readonly userHome: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly report: Report
  readonly signal?: AbortSignal | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Debian's archive as this machine reaches it, for jobs that seldom need it: nothing is read or opened before it is asked for. */
export function openMachineArchive(
  options: ArchiveOptions,
): AsyncDisposable & { readonly archive: () => Promise<DebianArchive> } {
  let opened: Promise<MachineSources> | undefined
  return {
    async archive() {
      opened ??= openSources(options)
      return (await opened).archive()
    },
    async [Symbol.asyncDispose]() {
      await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}

/** The registries of packages and artefacts as this machine reaches them. */
export async function openSources(options: ArchiveOptions): Promise<MachineSources> {
  const certificates = async () => {
    const found = await findCertificates(options.environment)
    for (const warning of found.warnings) options.report.warn(warning)
    return found.certificates.length > 0 ? printCertificates(found.certificates) : undefined
  }
  return openMachineSources({ ...options, node: process.execPath, certificates })
}
