import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  request,
} from 'node:http'
import { pipeline, Readable } from 'node:stream'
import type { SecureContext, TLSSocket } from 'node:tls'
import { type ProxyEnvironment, proxyAuthorization, proxyFor } from './proxy.ts'

/** How a transport is made. */
export interface TransportOptions {
  /** PEM text of authorities to trust besides those that Node.js knows. */
  readonly certificates?: string | undefined
  /** Who we are to servers that ask for a certificate, in PEM. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string } | undefined
  /** Takes any certificate. */
  readonly unverified?: boolean | undefined
  /** A unix socket that stands for every host. */
  readonly socketPath?: string | undefined
  readonly environment?: ProxyEnvironment
}

/** What goes out. */
export interface Outgoing {
  readonly method: string
  readonly headers: OutgoingHttpHeaders
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds that a connection may take to come about, and that may pass without a byte once it is there. */
const TO_CONNECT = 20_000
const IDLE = 60_000

/** Connections to servers, kept open and used again, over Node.js's own client; there are as many as there are requests at once. */
export class Transport {
  readonly #options: TransportOptions
  readonly #agents = new Map<string, Promise<Agent>>()
  #context: Promise<SecureContext> | undefined

  constructor(options: TransportOptions) {
    this.#options = options
  }

  /** One request and its answer, whatever it says. Fails as Node.js fails: `ECONNREFUSED`, `ECONNRESET`, `ETIMEDOUT`, … */
  async exchange(url: URL, outgoing: Outgoing): Promise<IncomingMessage> {
    const proxy =
      this.#options.socketPath === undefined ? proxyFor(url, this.#options.environment ?? {}) : undefined
    const options: RequestOptions = {
      method: outgoing.method,
      headers: {
        host: url.host,
        ...outgoing.headers,
        ...(proxy && url.protocol === 'http:' && proxyAuthorization(proxy)),
      },
      ...(outgoing.signal && { signal: outgoing.signal }),
      ...whereTo(url, proxy),
      ...(this.#options.socketPath !== undefined && { socketPath: this.#options.socketPath }),
      agent: await this.#agent(url, proxy),
    }
    const ask = url.protocol === 'https:' ? (await import('node:https')).request : request
    return converse(ask(options), outgoing)
  }

  close(): void {
    for (const agent of this.#agents.values())
      agent.then(
        opened => opened.destroy(),
        () => {},
      )
  }

  #agent(url: URL, proxy: URL | undefined): Promise<Agent> {
    const key = `${url.protocol} ${proxy?.href ?? ''}`
    const known = this.#agents.get(key)
    if (known) return known
    const opening = this.#open(url, proxy)
    this.#agents.set(key, opening)
    return opening
  }

  async #open(url: URL, proxy: URL | undefined): Promise<Agent> {
    const kept = { keepAlive: true, scheduling: 'lifo' as const }
    if (url.protocol === 'http:') return new Agent(kept)
    const https = await import('node:https')
    const tls = { secureContext: await this.#secureContext(), rejectUnauthorized: !this.#options.unverified }
    if (!proxy) return new https.Agent({ ...kept, ...tls })
    const { tunnelAgent } = await import('./tunnel.ts')
    return tunnelAgent(proxy, await this.#secureContext(), { ...kept, ...tls })
  }

  /** Made once: reading all authorities anew for each connection would take longer than many a request. */
  #secureContext(): Promise<SecureContext> {
    this.#context ??= (async () => {
      // An import of `node:tls` would decode all root certificates, whether they are needed or not.
      const tls = process.getBuiltinModule('node:tls')
      const { certificates, clientCertificate } = this.#options
      return tls.createSecureContext({
        ...(certificates !== undefined && { ca: [...tls.rootCertificates, certificates] }),
        ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key }),
      })
    })()
    return this.#context
  }
}

/** A proxy is sent the whole URL of plain http; of https it sees a tunnel only. */
function whereTo(url: URL, proxy: URL | undefined): RequestOptions {
  const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '')
  if (proxy && url.protocol === 'http:') {
    return {
      host: hostOf(proxy),
      port: proxy.port || 80,
      path: `${url.origin}${url.pathname}${url.search}`,
    }
  }
  return { host: hostOf(url), path: `${url.pathname}${url.search}`, ...(url.port && { port: url.port }) }
}

function converse(request: ClientRequest, { body }: Outgoing): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined
    request.on('error', reject)
    request.on('response', received => {
      answer = received
      // Whoever reads it is told; one who has gone already must not bring the process down.
      received.on('error', () => {})
      received.once('end', () => {
        if (!request.writableFinished) request.destroy()
      })
      resolve(received)
    })
    watch(request, () => answer !== undefined && answer.readableLength > 0)
    if (body === undefined) request.end()
    else if (body instanceof Uint8Array) request.end(body)
    else pipeline(Readable.from(body, { objectMode: false }), request, error => error && reject(error))
  })
}

/** Ends what takes too long: a connection that does not come about, and one on which nothing moves unless it is we who do not read. */
function watch(request: ClientRequest, weWait: () => boolean): void {
  const late = (why: string) => request.destroy(Object.assign(new Error(why), { code: 'ETIMEDOUT' }))
  request.on('socket', socket => {
    if (!socket.connecting) return
    const timer = setTimeout(() => late(`no connection after ${TO_CONNECT / 1000} seconds`), TO_CONNECT)
    const event = 'encrypted' in (socket as TLSSocket) ? 'secureConnect' : 'connect'
    socket.once(event, () => clearTimeout(timer))
    socket.once('close', () => clearTimeout(timer))
  })
  request.setTimeout(IDLE, () => {
    if (!weWait()) late(`nothing came for ${IDLE / 1000} seconds`)
  })
}
