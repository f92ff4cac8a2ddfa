import type { DaemonOptions, DaemonStore } from './daemon.ts'

/** Opens the daemon of this machine; what speaks to daemons is loaded only then. Throws a `Problem` (`DAEMON_ADDRESS_INVALID`, `DAEMON_UNREACHABLE`). */
export async function openDaemon(options: DaemonOptions): Promise<DaemonStore> {
  const [{ findDaemon }, { DaemonConnection }, { DaemonStore }] = await Promise.all([
    import('./address.ts'),
    import('./connection.ts'),
    import('./daemon.ts'),
  ])
  return new DaemonStore(new DaemonConnection(await findDaemon(options), options.connect), options)
}
