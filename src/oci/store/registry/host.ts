import {
  type HttpAnswer,
  type HttpRequest,
  isLoopback,
  isSystemError,
  letGo,
  type Problem,
  parseJson,
  printable,
  readAll,
  redact,
} from '#std'
import { placeNamedBy } from './addresses.ts'
import type { Authorization } from './authorization.ts'
import type { Connections } from './connections.ts'
import { addressRefused, denied, refused } from './problems.ts'

const REDIRECTS = 5
/** Answers that a registry gives while it is in trouble for a moment, besides those that the HTTP client repeats by itself. */
const TRIES = 3

/** A request to a registry. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** A path on the registry, or an address that it named. */
  readonly place: string | URL
  /** The repository that it is about, for choosing credentials; empty for the whole registry. */
  readonly repository: string
  /** What the token has to allow, such as `repository:team/shop:pull`. */
  readonly scopes: readonly string[]
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: HttpRequest['body']
  /** False where the caller knows how to go on after a connection that broke off. */
  readonly repeat?: boolean
}

export interface HostOptions {
  readonly name: string
  readonly connections: Connections
  readonly authorization: Authorization
  /** True for a host that may be spoken to without TLS. */
  readonly insecure: () => Promise<boolean>
  readonly signal?: AbortSignal | undefined
}

/**
 * One registry, by its exact host and port. Knows by which scheme it is reached, what it wants to be told, and to whom nothing of that may be said: an address
 * elsewhere, be it of a redirect or of a `Location`, is asked without credentials.
 */
export class RegistryHost {
  readonly name: string
  readonly authorization: Authorization
  readonly #options: HostOptions
  #origin: URL | undefined

  constructor(options: HostOptions) {
    this.#options = options
    this.name = options.name
    this.authorization = options.authorization
  }

  /** Sends a request; demands for credentials are met, and redirects followed where nothing is sent. Any other answer is the caller's. */
  async send(request: RegistryRequest): Promise<HttpAnswer> {
    const wider = widerScopes(request)
    if (!wider) return await this.#send(request)
    // What does not exist yet is kept even from its owner by some registries, unless it is asked for with the right to write.
    try {
      const answer = await this.#send(request)
      if (answer.status !== 401 && answer.status !== 403) return answer
      if (!(await this.authorization.canAskForMore(request.repository))) return answer
      await letGo(answer)
    } catch (error) {
      if (!isSystemError(error, 'REGISTRY_UNAUTHORIZED')) throw error
      if (!(await this.authorization.canAskForMore(request.repository))) throw error
    }
    return await this.#send({ ...request, scopes: wider })
  }

  async #send(request: RegistryRequest): Promise<HttpAnswer> {
    if (request.place instanceof URL) return await this.#follow(request.place, request)
    if (this.#origin) return await this.#follow(new URL(request.place, this.#origin), request)
    // Requests that begin together each find the scheme: to wait for one another would take longer.
    const { origin, answer } = await this.#find(request.place, request)
    this.#origin ??= origin
    return await answer()
  }

  /** The `Problem` for an answer that was not hoped for. */
  async problemOf(answer: HttpAnswer, what: string, place: string, repository: string): Promise<Problem> {
    const said = await wordsOf(answer)
    if (answer.status === 401) return await this.authorization.refusal(place, repository, said)
    return answer.status === 403 ? denied(place, said) : refused(place, what, answer.status, said)
  }

  async #schemes(): Promise<readonly string[]> {
    if (isLoopback(new URL(`http://${this.name}`).hostname)) return ['http:', 'https:']
    return (await this.#options.insecure()) ? ['https:', 'http:'] : ['https:']
  }

  async #find(
    path: string,
    request: RegistryRequest,
  ): Promise<{ origin: URL; answer: () => Promise<HttpAnswer> }> {
    const origins = (await this.#schemes()).map(scheme => new URL(`${scheme}//${this.name}/`))
    const patiently = (origin: URL) => ({
      origin,
      answer: () => this.#follow(new URL(path, origin), request),
    })
    const [first] = origins as [URL]
    if (origins.length === 1) return patiently(first)
    for (const origin of origins) {
      try {
        const answer = await this.#follow(new URL(path, origin), { ...request, repeat: false })
        if (origin.protocol === 'http:' && (await wantsTls(answer))) continue
        if (answer.status < 500 && answer.status !== 429) return { origin, answer: async () => answer }
        await letGo(answer)
        return patiently(origin)
      } catch (error) {
        if (!isSystemError(error, 'HTTP_UNREACHABLE') || !speaksOtherwise(error, origin.protocol)) throw error
      }
    }
    return patiently(first)
  }

  async #follow(start: URL, request: RegistryRequest): Promise<HttpAnswer> {
    let place = start
    for (let hops = 0; ; hops++) {
      const answer = await this.#authorized(place, request)
      const { location } = answer.headers
      const reading = request.method === 'GET' || request.method === 'HEAD'
      if (!reading || ![301, 302, 303, 307, 308].includes(answer.status) || location === undefined)
        return answer
      await letGo(answer)
      if (hops === REDIRECTS)
        throw addressRefused(this.name, 'another address', `it leads on more than ${REDIRECTS} times`)
      place = placeNamedBy(place, location, 'another address')
    }
  }

  async #authorized(place: URL, request: RegistryRequest): Promise<HttpAnswer> {
    const { scopes, repository } = request
    const own = place.host === this.name || place.host === new URL(`${place.protocol}//${this.name}`).host
    for (let attempt = 0; ; attempt++) {
      const authorization = own ? await this.authorization.header(scopes, repository) : undefined
      const answer = await this.#once(place, request, authorization)
      if (answer.status !== 401 || !own || attempt === TRIES - 1) return answer
      const again = await this.authorization.challenged(
        answer.headers['www-authenticate'],
        place,
        scopes,
        authorization,
      )
      if (!again) return answer
      await letGo(answer)
    }
  }

  async #once(place: URL, request: RegistryRequest, authorization: string | undefined): Promise<HttpAnswer> {
    const { method, accept, headers, body, repeat = true } = request
    const http = await this.#options.connections.to(place)
    return await http.request(place.href, {
      method,
      accept,
      authorization,
      body,
      ...(headers && { headers }),
      ...(!repeat && { retries: 0 }),
      signal: this.#options.signal,
    })
  }
}

function widerScopes({ method, scopes }: RegistryRequest): readonly string[] | undefined {
  const [scope = '', ...more] = scopes
  const reading = method === 'GET' || method === 'HEAD'
  return reading && more.length === 0 && scope.endsWith(':pull') ? [`${scope},push`] : undefined
}

/** What servers of Go, nginx and Apache answer to plain HTTP where they expect TLS. */
async function wantsTls(answer: HttpAnswer): Promise<boolean> {
  if (answer.status !== 400 || Number(answer.headers['content-length'] ?? 4096) > 4096) return false
  if (answer.headers['docker-distribution-api-version']) return false
  const text = (await readAll(answer.body, 1 << 16).catch(() => Buffer.alloc(0))).toString('latin1')
  return /https/i.test(text)
}

function speaksOtherwise({ cause }: Error, scheme: string): boolean {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return scheme === 'http:'
    ? /^(?:ECONNREFUSED|ECONNRESET|EPIPE|HPE_)/.test(code)
    : /^(?:ECONNREFUSED|ECONNRESET|EPROTO|ETIMEDOUT|ERR_SSL)/.test(code)
}

/** What a registry says about a refusal (OCI distribution-spec, "Error codes"), fit for a terminal; empty where it says nothing. */
async function wordsOf({ body }: HttpAnswer): Promise<string> {
  try {
    const text = (await readAll(body, 1 << 16)).toString('utf8')
    const { errors } = parseJson(text, 'an answer') as { errors?: { code?: unknown; message?: unknown }[] }
    const words = (errors ?? [])
      .slice(0, 3)
      .map(({ code, message }) => [code, message].filter(each => typeof each === 'string').join(': '))
    const said = printable(redact(words.join('; ')))
      .replace(/\s+/g, ' ')
      .slice(0, 300)
    return said === '' ? '' : ` (${said})`
  } catch {
    return ''
  }
}
