import { join } from 'node:path'
import { type CopyWays, type DaemonStore, openDaemon } from '#oci'
import { type MachineRegistriesOptions, openMachineRegistries } from './registries.ts'

/** The ways to images that are not on this machine's disk. Nothing is opened before it is needed; disposal closes what was. */
export interface ImageWays extends Required<CopyWays>, AsyncDisposable {
  readonly registries: NonNullable<CopyWays['registries']>
  readonly daemon: NonNullable<CopyWays['daemon']>
}

/** Registries and the container daemon, as this user of this machine reaches them. */
export function openImageWays(options: MachineRegistriesOptions): ImageWays {
  const { home, environment, signal } = options
  const registries = openMachineRegistries(options)
  let opened: Promise<DaemonStore> | undefined
  return {
    registries,
    daemon() {
      opened ??= openDaemon({ environment, staging: join(home, 'staging'), signal })
      return opened
    },
    async [Symbol.asyncDispose]() {
      await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]()
      await registries[Symbol.asyncDispose]()
    },
  }
}
