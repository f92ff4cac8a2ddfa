import { createServer, request } from 'node:http'
import { freePort } from './free-port.ts'
import { startCraneRegistry, type TestRegistry } from './registry.ts'

/** A real registry, and what was asked of it. */
export interface WatchedRegistry extends TestRegistry {
  /** `METHOD /path` of each request since the last time that this was called, without queries. */
  asked(): string[]
  /** Answers to make up, in place of those of the registry, while this is set. */
  refuse: ((method: string, path: string) => number | undefined) | undefined
}

/** Starts `crane registry serve` behind a server that passes everything on and writes it down. A string says why it cannot be had. */
export async function startWatchedRegistry(): Promise<WatchedRegistry | string> {
  const registry = await startCraneRegistry()
  if (typeof registry === 'string') return registry
  const [host, port] = registry.host.split(':')
  let asked: string[] = []
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming
    const path = url.replace(/\?.*$/, '')
    asked.push(`${method} ${path}`)
    const refused = watched.refuse?.(method, path)
    if (refused !== undefined) {
      incoming.resume()
      outgoing.writeHead(refused, { 'content-type': 'application/json' })
      return void outgoing.end('{"errors":[{"code":"DENIED","message":"not you"}]}')
    }
    const passed = request({ host, port, method, path: url, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    passed.once('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  const own = await freePort()
  await new Promise<void>(done => server.listen(own, '127.0.0.1', done))
  const watched: WatchedRegistry = {
    host: `127.0.0.1:${own}`,
    refuse: undefined,
    asked() {
      const said = asked
      asked = []
      return said
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
      await registry[Symbol.asyncDispose]()
    },
  }
  return watched
}
