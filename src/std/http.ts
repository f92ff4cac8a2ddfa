import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Transport, TransportOptions } from './http/transport.ts'
import { isSystemError, Problem } from './problem.ts'
import { redact } from './redact.ts'

/** What an HTTP client is made of. Nothing is read from the process itself. */
export interface HttpOptions extends TransportOptions {
  /** For `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in lower or upper case. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** How often a failed attempt is repeated; 3 by default. */
  readonly retries?: number
  /** Milliseconds before the first repetition; doubled each time. */
  readonly patience?: number
}

export interface HttpGet {
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
  /** Value of the Authorization header. It is sent to the origin of the URL alone, and never along a redirect elsewhere. */
  readonly authorization?: string | undefined
  readonly accept?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface HttpRequest extends Omit<HttpGet, 'method'> {
  readonly method: string
  /** Bytes, or what opens them: asked again for each attempt. Without a `content-length` among the headers they are sent in chunks. */
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>) | undefined
  /** Overrides how often a failed attempt is repeated. */
  readonly retries?: number
}

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** To be read or let go of. Fails if it ends early or stalls for a minute. */
  readonly body: Readable
  /** Where the answer came from, after redirects. */
  readonly url: string
}

/** An HTTP client. Its connections are closed when it is disposed. */
export interface Http extends AsyncDisposable {
  /**
   * Asks for a URL. Repeats after connection failures and answers 408, 429, 502, 503, 504; follows up to five redirects, never
   * from https to http. Every other status is an answer. Throws a `Problem` (`HTTP_UNREACHABLE`, `HTTP_REDIRECT`).
   */
  get(url: string, options?: HttpGet): Promise<HttpAnswer>

  /** One request of any method, repeated as `get` is; a redirect is an answer as any other. Throws a `Problem` (`HTTP_UNREACHABLE`). */
  request(url: string, options: HttpRequest): Promise<HttpAnswer>
}

const REDIRECTS = 5
const PASSING = new Set([408, 429, 502, 503, 504])
const LONGEST_WAIT = 60_000

export function openHttp(options: HttpOptions = {}): Http {
  // Loading the client takes longer than many a command that never asks for anything.
  let opened: Promise<Transport> | undefined
  const once = async (url: string, asked: HttpRequest): Promise<HttpAnswer> => {
    opened ??= import('./http/transport.ts').then(({ Transport }) => new Transport(options))
    const { method, headers, authorization, accept, signal, body } = asked
    const source = typeof body === 'function' ? watched(body()) : undefined
    const answer = await (await opened)
      .exchange(new URL(url), {
        method,
        headers: {
          'user-agent': 'slipway',
          ...(body instanceof Uint8Array && { 'content-length': String(body.byteLength) }),
          ...headers,
          ...(accept && { accept }),
          ...(authorization && { authorization }),
        },
        body: source?.bytes ?? (body as Uint8Array | undefined),
        signal,
      })
      .catch(error => {
        throw source?.failure() ?? error
      })
    return { status: answer.statusCode ?? 0, headers: flat(answer), body: answer, url }
  }
  const patiently = async (url: string, asked: HttpRequest): Promise<HttpAnswer> => {
    const { patience = 500 } = options
    const retries = asked.retries ?? options.retries ?? 3
    for (let attempt = 0; ; attempt++) {
      let wait = patience * 2 ** attempt
      try {
        const answer = await once(url, asked)
        if (!PASSING.has(answer.status) || attempt >= retries) return answer
        wait = Math.max(wait, waitAsked(answer.headers))
        await letGo(answer)
      } catch (error) {
        if (asked.signal?.aborted || error instanceof BodyFailed || error instanceof Problem)
          throw error instanceof BodyFailed ? error.cause : error
        if (attempt >= retries || !isPassing(error)) throw unreachable(url, error)
      }
      await sleep(Math.min(wait, LONGEST_WAIT), undefined, asked.signal ? { signal: asked.signal } : {})
    }
  }
  return {
    async get(url, asked = {}) {
      const origin = originOf(url)
      let place = url
      for (let hops = 0; ; hops++) {
        const { authorization, ...without } = { method: 'GET', ...asked }
        const answer = await patiently(
          place,
          originOf(place) === origin ? { ...without, authorization } : without,
        )
        const location = answer.headers.location
        if (answer.status < 301 || answer.status > 308 || answer.status === 304 || location === undefined)
          return answer
        await letGo(answer)
        if (hops === REDIRECTS) throw badRedirect(url, `it leads on more than ${REDIRECTS} times`)
        place = redirected(place, location, url)
      }
    },
    async request(url, asked) {
      originOf(url)
      return await patiently(url, asked)
    },
    async [Symbol.asyncDispose]() {
      ;(await opened)?.close()
    },
  }
}

/** What was to be sent could not be read; nothing to do with the server. */
class BodyFailed extends Error {}

/** No generator: a stream that breaks off throws its error into one, which then looks as if the source had failed. */
function watched(source: AsyncIterable<Uint8Array>) {
  let failed: BodyFailed | undefined
  const given = source[Symbol.asyncIterator]()
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      try {
        return await given.next()
      } catch (cause) {
        failed = new BodyFailed('the body could not be read', { cause })
        throw cause
      }
    },
    async return() {
      await given.return?.()
      return { done: true, value: undefined }
    },
  }
  return { bytes: { [Symbol.asyncIterator]: () => iterator }, failure: () => failed }
}

/** Bytes and milliseconds that an answer is still worth which nobody will read. */
const WORTH = { bytes: 1 << 16, time: 1000 }

/**
 * Lets go of an answer that nobody will read; a short one is taken in, so that its connection can be used again: at once, where this is waited for.
 */
export function letGo({ body, headers }: Pick<HttpAnswer, 'body'> & Partial<HttpAnswer>): Promise<void> {
  let taken = 0
  return new Promise(done => {
    const timer = setTimeout(() => body.destroy(), WORTH.time)
    body.once('close', () => {
      clearTimeout(timer)
      done()
    })
    body.on('error', () => {})
    if (body.closed) body.emit('close')
    else if (
      headers?.['transfer-encoding'] === undefined &&
      Number(headers?.['content-length'] ?? 0) > WORTH.bytes &&
      !isHead(body)
    )
      body.destroy()
    body.on('data', (chunk: Uint8Array) => {
      taken += chunk.byteLength
      if (taken > WORTH.bytes) body.destroy()
    })
  })
}

/** True for an answer that has the length of something else. */
function isHead(body: Readable): boolean {
  return (body as { req?: { method?: string } }).req?.method === 'HEAD'
}

function flat({ headers }: IncomingMessage): Record<string, string | undefined> {
  const pairs = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value[0] : value,
  ])
  return Object.fromEntries(pairs)
}

function originOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Problem('HTTP_URL', {
      what: `Cannot fetch ${JSON.stringify(redact(url).slice(0, 200))}`,
      why: 'it is not an http or https URL',
      fix: 'Correct the address where it is configured.',
    })
  }
  return new URL(url).origin
}

function redirected(from: string, location: string, first: string): string {
  if (!URL.canParse(location, from)) throw badRedirect(first, 'it leads to something that is no URL')
  const to = new URL(location, from)
  if (to.protocol !== 'https:' && to.protocol !== 'http:')
    throw badRedirect(first, `it leads to a ${to.protocol} address`)
  if (to.protocol === 'http:' && from.startsWith('https:'))
    throw badRedirect(first, 'it leads from https to plain http')
  to.username = ''
  to.password = ''
  return to.href
}

/** The milliseconds that `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3); a date counts from the server's own. */
export function waitAsked(headers: HttpAnswer['headers']): number {
  const text = headers['retry-after']
  if (text === undefined) return 0
  const until = Date.parse(text) - Date.parse(headers.date ?? '')
  const wait = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : until
  return Number.isFinite(wait) && wait > 0 ? wait : 0
}

function isPassing(error: unknown): boolean {
  return isSystemError(
    error,
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EAI_AGAIN',
    'ENETUNREACH',
    'EHOSTUNREACH',
    'HPE_INVALID_CONSTANT',
  )
}

function unreachable(url: string, cause: unknown): Problem {
  const { host } = new URL(url)
  const reason =
    cause instanceof Error ? `${'code' in cause ? `${cause.code}: ` : ''}${cause.message}` : String(cause)
  const tls = /certificate|self.signed|UNABLE_TO_VERIFY|CERT_/i.test(reason)
  return new Problem('HTTP_UNREACHABLE', {
    what: `Cannot reach ${host}`,
    why: redact(reason),
    fix: tls
      ? 'Name the PEM file of the authority that signs for it: set SSL_CERT_FILE or NODE_EXTRA_CA_CERTS.'
      : 'Check the network, the proxy settings (https_proxy, no_proxy) and the configured address; then try again.',
    cause,
  })
}

function badRedirect(url: string, why: string): Problem {
  return new Problem('HTTP_REDIRECT', {
    what: `Cannot fetch from ${new URL(url).host}`,
    why,
    fix: 'Check the configured address; a login page or a captive portal may answer in its place.',
  })
}
