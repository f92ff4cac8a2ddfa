import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { MemoryRegistry } from './memory-registry.ts'

/** What a fault does in place of the registry; `pass` has the registry answer after all. */
export type Act = (
  request: IncomingMessage,
  response: ServerResponse,
  pass: () => Promise<unknown>,
) => unknown

/** A registry on loopback that does wrong as it is told to. */
export interface FaultRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly registry: MemoryRegistry
  /** Every request, as `METHOD /path?query`, in the order in which they came. */
  readonly requests: string[]
  /** The Authorization header of each request, or `-`. */
  readonly authorizations: string[]
  /** Has the next `times` requests that match `METHOD /path` answered by `act`. */
  on(match: RegExp, act: Act, times?: number): void
}

/** Starts one; with TLS if it is handed a certificate. Stops when disposed. */
export async function startFaultRegistry(tls?: {
  cert: string
  key: string
  ca?: string
  requestCert?: boolean
}): Promise<FaultRegistry> {
  const registry = new MemoryRegistry()
  const requests: string[] = []
  const authorizations: string[] = []
  const rules: { match: RegExp; act: Act; times: number }[] = []
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    const said = `${request.method} ${request.url}`
    requests.push(said)
    authorizations.push(request.headers.authorization ?? '-')
    const rule = rules.find(each => each.times > 0 && each.match.test(said))
    const pass = () => registry.answer(request, response)
    if (rule) rule.times -= 1
    Promise.resolve(rule ? rule.act(request, response, pass) : pass()).catch(() => response.destroy())
  }
  const server = tls
    ? createSecureServer({ ...tls, rejectUnauthorized: false }, handler)
    : createServer(handler)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    registry,
    requests,
    authorizations,
    on: (match, act, times = 1) => void rules.push({ match, act, times }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

/** Answers with a status and headers, and an empty body. */
export const say =
  (status: number, headers: Record<string, string> = {}, body = ''): Act =>
  (request, response) => {
    request.resume()
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body)
  }

/** Ends the connection without a word. */
export const hangUp: Act = request => request.socket.destroy()

/** Lets so many bytes of the request's body come through to the registry, and ends the connection. */
export const cutRequestAfter =
  (bytes: number): Act =>
  async (request, _response, pass) => {
    let seen = 0
    request.on('data', chunk => {
      seen += chunk.length
      if (seen >= bytes) request.socket.destroy()
    })
    await pass()
  }

/** Lets so many bytes of the answer's body through, and ends the connection. */
export const cutAnswerAfter =
  (bytes: number): Act =>
  async (request, response, pass) => {
    Object.assign(response, {
      end(body: Buffer) {
        response.write(body.subarray(0, bytes), () => setImmediate(() => request.socket.destroy()))
        return response
      },
    })
    await pass()
  }
