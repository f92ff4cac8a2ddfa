import { homedir } from 'node:os'
import { join } from 'node:path'
import { openDocumentMemory, openLayerMemory, openRegistries, type Platform, type Registries } from '#oci'
import { type Report, readIfExists } from '#std'
import { machineArchitecture } from '../machine/machine-architecture.ts'

/** What registries of images are reached with. */
export interface MachineRegistriesOptions {
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly report: Report
  readonly signal?: AbortSignal | undefined
  /** Hosts that may be spoken to without TLS, or with a certificate that nobody vouches for. */
  readonly insecure?: readonly string[] | undefined
  /** Which image of an index is meant; default: that for this machine. */
  readonly platform?: Platform | undefined
}

/**
 * Registries of images as this user of this machine reaches them: with the credentials of Docker's configuration, the machine's proxies and the authorities
 * that it trusts. Nothing is read or opened before it is needed; which blob a layer became is remembered below `<home>/exports`.
 */
export function openMachineRegistries(options: MachineRegistriesOptions): Registries {
  const { home, environment, report, signal, insecure, platform } = options
  return openRegistries({
    environment,
    userHome: environment.HOME || homedir(),
    platform: platform ?? { os: 'linux', architecture: machineArchitecture() },
    insecure: insecure ?? [],
    certificates: async () => {
      const { machineCertificates } = await import('../machine/extra-certificates.ts')
      const found = await machineCertificates(home, environment, report)
      return found && (await readIfExists(found.pem))
    },
    memory: openLayerMemory(join(home, 'exports/blobs')),
    documents: openDocumentMemory(join(home, 'exports/documents')),
    warn: text => report.warn(text),
    ...(signal && { signal }),
  })
}
