import * as v from 'valibot'
import { check, type Http, letGo, parseJson, readAll } from '#std'
import { basicHeader, type Credential } from '../../credentials/credential.ts'
import type { Keychain } from '../../credentials/keychain.ts'
import { placeNamedBy, withParameter } from './addresses.ts'
import { parseChallenges } from './challenge.ts'
import type { Connections } from './connections.ts'
import { confused, unauthorized } from './problems.ts'

/** Token servers that are known to belong to a registry of another name. */
const KNOWN_TOKEN_SERVERS: Readonly<Record<string, string>> = {
  'index.docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
}

const tokenAnswer = v.looseObject({
  token: v.nullish(v.string()),
  access_token: v.nullish(v.string()),
})

export interface AuthorizationOptions {
  readonly host: string
  readonly keychain: Keychain
  readonly connections: Connections
  /** Hosts besides the registry's own that may be told its credentials, because somebody who knows said so. */
  readonly tokenServers: () => Promise<readonly string[]>
}

type Way =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined }

/**
 * What one host is told about who asks. Nothing is sent before the host demands it; then a name and password go to that host alone, and to a token server only if that is
 * the same host or one that is known to be its own (distribution's token authentication, and OAuth2 for identity tokens). A token is used until it is refused.
 */
export class Authorization {
  readonly #options: AuthorizationOptions
  readonly #tokens = new Map<string, Promise<string>>()
  #way: Way = { kind: 'none' }
  /** Set where a token server was not told the credentials. */
  #withheldFrom: string | undefined

  constructor(options: AuthorizationOptions) {
    this.#options = options
  }

  /** The header for a request, as far as the host has said what it wants. */
  async header(scopes: readonly string[], repository: string): Promise<string | undefined> {
    if (this.#way.kind === 'none') return undefined
    const credential = await this.#options.keychain.credential(this.#options.host, repository)
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`
    if (this.#way.kind === 'basic') return credential?.kind === 'basic' ? basicHeader(credential) : undefined
    return `Bearer ${await this.#token(this.#way, scopes, credential)}`
  }

  /** Takes note of what the host demands, and forgets the token it did not take. False if nothing is left to try. */
  async challenged(
    header: string | undefined,
    from: URL,
    scopes: readonly string[],
    sent: string | undefined,
  ): Promise<boolean> {
    const way = this.#wayOf(header ?? '', from)
    if (way.kind === 'none') return false
    const before = this.#way
    this.#way = way
    if (sent === undefined) return true
    if (way.kind === 'bearer') await this.#forget(scopes, sent)
    return sent.startsWith('Bearer ') && way.kind === 'bearer' && before.kind === 'bearer'
  }

  /** True if a token may be had that allows more: there are credentials, and a token server to show them to. */
  async canAskForMore(repository: string): Promise<boolean> {
    if (this.#way.kind !== 'bearer') return false
    const credential = await this.#options.keychain.credential(this.#options.host, repository)
    return credential !== undefined && credential.kind !== 'bearer'
  }

  /** Forgets a token that was not taken, unless another request has got a new one meanwhile. */
  async #forget(scopes: readonly string[], sent: string): Promise<void> {
    for (const key of keysOf(scopes)) {
      const token = await this.#tokens.get(key)?.catch(() => undefined)
      if (`Bearer ${token}` === sent) this.#tokens.delete(key)
    }
  }

  /** How the host wants to be told who asks, as far as it has said. */
  get way(): string {
    return this.#way.kind === 'bearer' ? `tokens of ${this.#way.realm.host}` : this.#way.kind
  }

  /** Why the host took nothing of what was tried, as a `Problem` (`REGISTRY_UNAUTHORIZED`). */
  async refusal(place: string, repository: string, said: string) {
    const { host, keychain } = this.#options
    if (this.#withheldFrom) {
      return unauthorized(
        place,
        `${host} names ${this.#withheldFrom} as its token server, which was not told your credentials because it is another host`,
        `If ${this.#withheldFrom} does belong to ${host}, say so: set token-server = "${this.#withheldFrom}" for it in registries.toml (docs/registries.md).`,
      )
    }
    const credential = await keychain.credential(host, repository)
    return credential
      ? unauthorized(
          place,
          `${host} does not accept the credentials of this machine, or not for this${said}`,
          `Log in anew (docker login ${host}, or CNB_REGISTRY_AUTH), and check that the account may do this there.`,
        )
      : unauthorized(
          place,
          `${host} wants to know who asks, and this machine has no credentials for it${said}`,
          `Log in with: docker login ${host}; or set CNB_REGISTRY_AUTH (docs/registries.md).`,
        )
  }

  #wayOf(header: string, from: URL): Way {
    const challenges = parseChallenges(header)
    const bearer = challenges.find(each => each.scheme === 'bearer' && each.parameters.realm)
    if (bearer) {
      const { realm = '', service } = bearer.parameters
      return { kind: 'bearer', realm: placeNamedBy(from, realm, 'its token server'), service }
    }
    return { kind: challenges.some(each => each.scheme === 'basic') ? 'basic' : 'none' }
  }

  #token(
    way: Way & { kind: 'bearer' },
    scopes: readonly string[],
    credential: Credential | undefined,
  ): Promise<string> {
    const key = scopes.join(' ')
    const known = keysOf(scopes)
      .map(each => this.#tokens.get(each))
      .find(each => each !== undefined)
    if (known) return known
    const asking = this.#askForToken(way, scopes, credential)
    this.#tokens.set(key, asking)
    asking.catch(() => this.#tokens.delete(key))
    return asking
  }

  async #askForToken(
    { realm, service }: Way & { kind: 'bearer' },
    scopes: readonly string[],
    credential: Credential | undefined,
  ): Promise<string> {
    const trusted = credential === undefined || (await this.#isOwn(realm))
    this.#withheldFrom = trusted ? undefined : realm.host
    const http = await this.#options.connections.to(realm)
    const { status, body } = await ask(http, realm, service, scopes, trusted ? credential : undefined)
    const place = `the token server ${realm.host}`
    if (status === 401 || status === 403 || status === 400) {
      await letGo({ body })
      throw await this.refusal(this.#options.host, '', ` (its token server answered ${status})`)
    }
    if (status !== 200) {
      await letGo({ body })
      throw confused(place, `it answered with status ${status}`)
    }
    const text = await readAll(body, 1 << 20).then(String, cause =>
      Promise.reject(confused(place, 'its answer does not come whole', cause)),
    )
    const { token, access_token } = check(
      tokenAnswer,
      parseJson(text, `the answer of ${place}`),
      `the answer of ${place}`,
    )
    const found = token || access_token
    if (!found || !/^[\x21-\x7e]{1,65536}$/.test(found)) throw confused(place, 'there is no token in it')
    return found
  }

  async #isOwn({ host }: URL): Promise<boolean> {
    const { host: registry, tokenServers } = this.#options
    return (
      host === registry || KNOWN_TOKEN_SERVERS[registry] === host || (await tokenServers()).includes(host)
    )
  }
}

/** Whose token will do: one that allows writing allows reading too. */
function keysOf(scopes: readonly string[]): string[] {
  const key = scopes.join(' ')
  return scopes.length === 1 && key.endsWith(':pull') ? [key, `${key},push`] : [key]
}

function ask(
  http: Http,
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credential: Credential | undefined,
) {
  if (credential?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      ...(service && { service }),
      client_id: 'slipway',
      scope: scopes.join(' '),
      refresh_token: credential.token,
    })
    return http.request(realm.href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(form.toString()),
    })
  }
  const parameters: [string, string][] = [
    ...(service ? [['service', service] as [string, string]] : []),
    ...scopes.map((scope): [string, string] => ['scope', scope]),
  ]
  const url = parameters.reduce((place, [name, value]) => withParameter(place, name, value), realm)
  const authorization = credential?.kind === 'basic' ? basicHeader(credential) : undefined
  return http.request(url.href, { method: 'GET', authorization })
}
