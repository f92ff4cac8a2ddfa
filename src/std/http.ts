import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher, default as Undici } from 'undici'
import { isSystemError, Problem } from './problem.ts'
import { redact } from './redact.ts'

/** What an HTTP client is made of. Nothing is read from the process itself. */
export interface HttpOptions {
  /** PEM text of authorities to trust besides those that Node.js knows. */
  readonly certificates?: string | undefined
  /** For `http_proxy`, `https_proxy` and `no_proxy`, in lower or upper case. */
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

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** To be read or destroyed. Fails if it ends early or stalls for a minute. */
  readonly body: Readable
  /** Where the answer came from, after redirects. */
  readonly url: string
}

/** An HTTP client. Its connections are closed when it is disposed. */
export interface Http extends AsyncDisposable {
  /**
   * Asks for a URL. Repeats after connection failures and answers 429, 502, 503, 504; follows up to five redirects, never
   * from https to http. Every other status is an answer. Throws a `Problem` (`HTTP_UNREACHABLE`, `HTTP_REDIRECT`).
   */
  get(url: string, options?: HttpGet): Promise<HttpAnswer>
}

const REDIRECTS = 5
const PASSING = new Set([429, 502, 503, 504])
const LONGEST_WAIT = 20_000

export function openHttp(options: HttpOptions = {}): Http {
  // Loading the client takes longer than many a command that never asks for anything.
  let opened: Promise<{ request: typeof Undici.request; dispatcher: Dispatcher }> | undefined
  const open = async () => {
    // It is CommonJS: bundled, only its default export is there.
    const { default: undici } = await import('undici')
    return { request: undici.request, dispatcher: dispatcherOf(undici, options) }
  }
  const once = async (
    url: string,
    { method, headers, authorization, accept, signal }: HttpGet,
  ): Promise<HttpAnswer> => {
    opened ??= open()
    const { request, dispatcher } = await opened
    const answer = await request(url, {
      dispatcher,
      method: method ?? 'GET',
      headers: {
        'user-agent': 'slipway',
        ...headers,
        ...(accept && { accept }),
        ...(authorization && { authorization }),
      },
      ...(signal && { signal }),
    })
    const flat = Object.entries(answer.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value[0] : value,
    ])
    return { status: answer.statusCode, headers: Object.fromEntries(flat), body: answer.body, url }
  }
  const patiently = async (url: string, asked: HttpGet): Promise<HttpAnswer> => {
    const { retries = 3, patience = 500 } = options
    for (let attempt = 0; ; attempt++) {
      let wait = patience * 2 ** attempt
      try {
        const answer = await once(url, asked)
        if (!PASSING.has(answer.status) || attempt >= retries) return answer
        wait = Math.max(wait, waitAsked(answer.headers['retry-after']))
        abandon(answer.body)
      } catch (error) {
        if (asked.signal?.aborted) throw error
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
        const { authorization, ...without } = asked
        const answer = await patiently(
          place,
          originOf(place) === origin ? { ...without, authorization } : without,
        )
        const location = answer.headers.location
        if (answer.status < 301 || answer.status > 308 || answer.status === 304 || location === undefined)
          return answer
        abandon(answer.body)
        if (hops === REDIRECTS) throw badRedirect(url, `it leads on more than ${REDIRECTS} times`)
        place = redirected(place, location, url)
      }
    },
    async [Symbol.asyncDispose]() {
      await (await opened)?.dispatcher.destroy()
    },
  }
}

function dispatcherOf(
  { Agent, EnvHttpProxyAgent }: typeof Undici,
  { certificates, environment = {} }: HttpOptions,
): Dispatcher {
  // An import of `node:tls` would decode all root certificates, whether they are needed or not.
  const { rootCertificates } = process.getBuiltinModule('node:tls')
  const tls = certificates === undefined ? {} : { ca: [...rootCertificates, certificates] }
  const named = (name: string) => environment[name] || environment[name.toUpperCase()] || undefined
  const common = { connect: { ...tls, timeout: 20_000 }, headersTimeout: 60_000, bodyTimeout: 60_000 }
  const [httpProxy, httpsProxy, noProxy] = ['http_proxy', 'https_proxy', 'no_proxy'].map(named)
  if (!httpProxy && !httpsProxy) return new Agent(common)
  const proxies = { httpProxy: httpProxy ?? '', httpsProxy: httpsProxy ?? '', noProxy: noProxy ?? '' }
  return new EnvHttpProxyAgent({ ...common, ...proxies, requestTls: tls, proxyTls: tls })
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

function waitAsked(header: string | undefined): number {
  const seconds = Number(header)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
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
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_SOCKET',
  )
}

function abandon(body: Readable): void {
  body.on('error', () => {})
  body.destroy()
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
