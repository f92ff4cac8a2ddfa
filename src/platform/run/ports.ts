import { connect, createServer, type Server } from 'node:net'
import type { Report } from '#std'
import { portInvalid, portTaken } from '../problems.ts'

/** A port of the app, and where this machine offers it. */
export interface PublishedPort {
  /** Undefined: whatever address the app itself listens on. */
  readonly address: string | undefined
  readonly host: number
  readonly container: number
}

/** Reads `HOST:CONTAINER` or `ADDRESS:HOST:CONTAINER`, `/tcp` allowed behind it. Throws a `Problem` (`RUN_PORT_INVALID`). */
export function parsePort(text: string): PublishedPort {
  const [, address, host, container] =
    /^(?:(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|localhost):)?(\d{1,5}):(\d{1,5})(?:\/tcp)?$/.exec(text) ??
    []
  const ports = [Number(host), Number(container)]
  if (!ports.every(port => port >= 1 && port <= 65_535)) throw portInvalid(text)
  return {
    address: address?.replace(/^\[|\]$/g, ''),
    host: Number(host),
    container: Number(container),
  }
}

/**
 * Publishes ports of an app that shares this machine's network. Where both numbers are the same the app's own listening is enough, and
 * only a port that is taken is refused; where they differ, connections are passed on through the loopback. Throws a `Problem` (`RUN_PORT_TAKEN`).
 */
export async function publishPorts(
  ports: readonly PublishedPort[],
  report: Report,
): Promise<AsyncDisposable> {
  const servers: Server[] = []
  const close = () => Promise.all(servers.map(closeServer))
  try {
    for (const port of ports) {
      const { address, host, container } = port
      if (host === container) {
        await closeServer(await listen(address ?? '0.0.0.0', host))
        report.detail(
          `The app listens on port ${host} of this machine itself, on whatever address it chooses.`,
        )
      } else {
        servers.push(await listen(address ?? '0.0.0.0', host, container))
        report.line(`Port ${host} leads to port ${container}, which the app opens on this machine too.`)
      }
    }
  } catch (error) {
    await close()
    throw error
  }
  return { [Symbol.asyncDispose]: async () => void (await close()) }
}

function listen(address: string, port: number, target?: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, client => {
    const app = connect({ port: target as number, host: 'localhost', allowHalfOpen: true })
    client.on('error', () => app.destroy())
    app.on('error', () => client.destroy())
    client.on('close', () => app.destroy())
    app.on('close', () => client.destroy())
    client.pipe(app)
    app.pipe(client)
    open.add(client).add(app)
    client.on('close', () => open.delete(client))
    app.on('close', () => open.delete(app))
  })
  const open = new Set<{ destroy(): unknown }>()
  connections.set(server, open)
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(portTaken(address, port, error)))
    server.listen(port, address, () => resolve(server))
  })
}

/** Open connections of each forwarder, to be cut when the app has ended. */
const connections = new WeakMap<Server, Set<{ destroy(): unknown }>>()

function closeServer(server: Server): Promise<void> {
  for (const each of connections.get(server) ?? []) each.destroy()
  return new Promise(resolve => server.close(() => resolve()))
}
