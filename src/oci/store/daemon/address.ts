import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { daemonAddressInvalid, daemonUnreachable } from './problems.ts'

/** What is needed to find and reach a daemon. Nothing is read from the process itself. */
export interface DaemonSurroundings {
  /** `DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`, `XDG_RUNTIME_DIR` count. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** How requests reach a daemon. */
export type DaemonAddress =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      /** Client certificate, its key and the authority of the daemon's certificate (PEM), where the connection is to be TLS. */
      readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer }
    }

const TCP = 2375
const TLS = 2376

/**
 * Where the daemon is, as Docker's own client looks for it: `DOCKER_HOST` (`unix://` or `tcp://`), else the usual sockets, those of Docker before
 * those of Podman. Throws a `Problem` (`DAEMON_ADDRESS_INVALID`, `DAEMON_UNREACHABLE`).
 */
export async function findDaemon({ environment }: DaemonSurroundings): Promise<DaemonAddress> {
  const given = environment.DOCKER_HOST
  if (given) return await parseAddress(given, environment)
  const places = usualSockets(environment)
  const found = places.find(place => existsSync(place))
  if (found === undefined) throw daemonUnreachable(places)
  return { kind: 'unix', socketPath: found }
}

function usualSockets({ XDG_RUNTIME_DIR: runtime }: DaemonSurroundings['environment']): string[] {
  const own = (path: string) => (runtime?.startsWith('/') ? [join(runtime, path)] : [])
  return [
    ...['/var/run/docker.sock', ...own('docker.sock')],
    ...[...own('podman/podman.sock'), '/run/podman/podman.sock'],
  ]
}

async function parseAddress(
  text: string,
  environment: DaemonSurroundings['environment'],
): Promise<DaemonAddress> {
  if (text.startsWith('unix://')) {
    const socketPath = text.slice('unix://'.length)
    if (!socketPath.startsWith('/')) throw daemonAddressInvalid(text, 'which has no absolute path')
    return { kind: 'unix', socketPath }
  }
  if (!text.startsWith('tcp://')) throw daemonAddressInvalid(text, 'which is neither unix:// nor tcp://')
  const tls = environment.DOCKER_TLS_VERIFY ? await certificates(environment) : undefined
  const url = URL.canParse(text.replace('tcp:', 'http:')) ? new URL(text.replace('tcp:', 'http:')) : undefined
  if (!url?.hostname || url.username) throw daemonAddressInvalid(text, 'which names no host')
  const port = Number(/:(\d+)\/?$/.exec(text)?.[1] ?? (tls ? TLS : TCP))
  return { kind: 'tcp', host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, ...(tls && { tls }) }
}

async function certificates({ DOCKER_CERT_PATH: directory, HOME }: DaemonSurroundings['environment']) {
  const from = directory || join(HOME ?? '/', '.docker')
  try {
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'cert.pem', 'key.pem'].map(name => readFile(join(from, name))),
    )
    return { ca, cert, key } as { ca: Buffer; cert: Buffer; key: Buffer }
  } catch (error) {
    throw daemonUnreachable([`the certificates in ${from}`], error)
  }
}
