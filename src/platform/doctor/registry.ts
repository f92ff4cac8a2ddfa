import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import { parseReference, parseRegistry, type Reference, type Registries, type RegistryHost } from '#oci'
import { isSystemError, letGo, Problem, proxyFor } from '#std'
import { type Finding, findingOf, good, missing, weak } from './finding.ts'

/** What an examination of a registry is handed. */
export interface RegistryDoctorOptions {
  /** `HOST[:PORT]`, or a repository there: then it is tried whether this user may read and write in it. */
  readonly place: string
  readonly registries: Registries
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Milliseconds that a connection may take. */
const PATIENCE = 10_000

/**
 * Goes the way to a registry step by step, and stops where it ends: the name, the connection, TLS and the registry's API, who this user is to it, and in a repository whether it may be read and written.
 * Each finding comes as soon as it is known. Leaves nothing behind: the upload that is begun to see whether one may write is given up. Throws a `Problem` (`REFERENCE_INVALID`) for a place that is none.
 */
export async function* examineRegistry(options: RegistryDoctorOptions): AsyncGenerator<Finding> {
  const { registries, place } = options
  const reference = place.includes('/') ? parseReference(place) : undefined
  const name = reference?.registry ?? parseRegistry(place)
  const host = registries.host(name)
  for (const step of [
    () => checkName(name, options),
    () => checkConnection(name, options),
    () => checkApi(host),
    () => checkUser(host, options),
    ...(reference ? [() => checkPull(registries, reference), () => checkPush(host, reference)] : []),
  ]) {
    const finding = await step()
    yield finding
    if (finding.state === 'missing') return
  }
}

/** Where a connection goes: to a proxy, or to the registry itself. */
function nextHop(name: string, { environment }: RegistryDoctorOptions): { url: URL; proxy: boolean } {
  const url = new URL(`https://${name}/`)
  const proxy = proxyFor(url, environment)
  return { url: proxy ?? url, proxy: proxy !== undefined }
}

async function checkName(name: string, options: RegistryDoctorOptions): Promise<Finding> {
  const { url, proxy } = nextHop(name, options)
  const what = proxy ? `the proxy ${url.hostname}` : url.hostname
  try {
    const found = await lookup(url.hostname.replace(/^\[|\]$/g, ''), { all: true })
    return good(
      'name',
      `${what} is ${found
        .map(({ address }) => address)
        .slice(0, 4)
        .join(', ')}`,
    )
  } catch (error) {
    if (!isSystemError(error, 'ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA')) throw error
    const fix =
      error.code === 'EAI_AGAIN'
        ? 'The name server does not answer: check the network. Behind a proxy, set https_proxy.'
        : 'Check the spelling. Names of an internal network need its name server, or a VPN; behind a proxy, set https_proxy.'
    return missing('name', `nobody knows ${what} (${error.code})`, fix)
  }
}

async function checkConnection(name: string, options: RegistryDoctorOptions): Promise<Finding> {
  const { url, proxy } = nextHop(name, options)
  const place = `${proxy ? 'the proxy ' : ''}${url.host}`
  const ports = url.port ? [Number(url.port)] : [proxy && url.protocol === 'http:' ? 80 : 443]
  const failure = await connected(url.hostname.replace(/^\[|\]$/g, ''), ports[0] as number)
  if (failure === undefined) return good('connection', `${place}, port ${ports[0]}`)
  return missing(
    'connection',
    `${place} does not take one on port ${ports[0]} (${failure})`,
    'Check the port, the firewall, and whether the registry runs. A registry that does not listen on 443 is named with its port.',
  )
}

function connected(host: string, port: number): Promise<string | undefined> {
  return new Promise(done => {
    const socket = connect({ host, port })
    const end = (failure?: string) => {
      socket.destroy()
      done(failure)
    }
    socket.setTimeout(PATIENCE, () => end('no answer'))
    socket.once('connect', () => end())
    socket.once('error', error => end('code' in error ? String(error.code) : error.message))
  })
}

/** The first request that a registry gets; with it the scheme is found, and whom it wants to be told. */
async function checkApi(host: RegistryHost): Promise<Finding> {
  try {
    const answer = await host.send({ method: 'GET', place: '/v2/', repository: '', scopes: [] })
    await letGo(answer)
    const how = answer.url.startsWith('https:') ? 'by TLS' : 'by plain http'
    const version = answer.headers['docker-distribution-api-version']
    if (answer.status === 200 || answer.status === 401 || answer.status === 403)
      return good('registry', `speaks the API of registries, ${how}${version ? ` (${version})` : ''}`)
    return missing(
      'registry',
      `${new URL(answer.url).host} answers ${answer.status} to /v2/, ${how}`,
      'That is no registry, or it is at another host or port; a path before /v2/ cannot be named.',
    )
  } catch (error) {
    // Of those who want to know who asks, it is known that they are registries.
    if (error instanceof Problem && error.code === 'REGISTRY_UNAUTHORIZED')
      return good('registry', 'speaks the API of registries')
    return explained(host, error)
  }
}

/** A certificate that is not trusted has more than one cure. */
function explained({ name }: RegistryHost, error: unknown): Finding {
  const finding = findingOf('registry', error)
  const cause = error instanceof Problem && error.cause instanceof Error ? error.cause : undefined
  const code = cause && 'code' in cause ? String(cause.code) : ''
  const cures: [RegExp, string][] = [
    [
      /SELF_SIGNED|UNABLE_TO|CERT_UNTRUSTED/,
      `Have the authority that signed it trusted: put its certificate in ~/.docker/certs.d/${name}/ca.crt, or name it with SSL_CERT_FILE.`,
    ],
    [/CERT_HAS_EXPIRED|CERT_NOT_YET/, 'Have the certificate renewed; check the clock of this machine.'],
    [/ALTNAME/, 'The certificate is for another name: use that one, or have one made for this.'],
    [
      /EPROTO|WRONG_VERSION/,
      `It does not speak TLS. If that is meant to be so, say so: --insecure-registry ${name}, or insecure = true in registries.toml.`,
    ],
    [/PROXY_REFUSED/, 'Ask for the registry to be let through, or name it in no_proxy.'],
  ]
  const fix = cures.find(([pattern]) => pattern.test(`${code} ${cause?.message}`))?.[1]
  return fix === undefined ? finding : { ...finding, fix }
}

async function checkUser(host: RegistryHost, { registries }: RegistryDoctorOptions): Promise<Finding> {
  const { way } = host.authorization
  const source = await registries.credentialSource(host.name)
  const wants = way === 'none' ? 'does not ask who you are' : `asks who you are (${way})`
  if (source === undefined) {
    return way === 'basic'
      ? missing(
          'user',
          `${host.name} ${wants}, and nothing is known`,
          `Log in with: docker login ${host.name}`,
        )
      : good('user', `${host.name} ${wants}; anonymous`)
  }
  try {
    const answer = await host.send({ method: 'GET', place: '/v2/', repository: '', scopes: [] })
    if (answer.status === 401) return findingOf('user', await host.problemOf(answer, 'use', host.name, ''))
    await letGo(answer)
    return good('user', `${host.name} ${wants}; credentials of ${source}`)
  } catch (error) {
    return findingOf('user', error)
  }
}

async function checkPull(registries: Registries, reference: Reference): Promise<Finding> {
  const { registry, repository, tag, digest } = reference
  const name = `${registry}/${repository}${digest ? `@${digest}` : `:${tag ?? 'latest'}`}`
  try {
    const found = await registries.store(reference).resolve(name)
    return found
      ? good('pull', `${name} is ${found.digest}`)
      : weak(
          'pull',
          `there is no ${name}, or it is kept from this user`,
          'Check the name and the tag, if it should be there.',
        )
  } catch (error) {
    return findingOf('pull', error, 'weak')
  }
}

async function checkPush(host: RegistryHost, { repository }: Reference): Promise<Finding> {
  const place = `${host.name}/${repository}`
  const scopes = [`repository:${repository}:pull,push`]
  try {
    const answer = await host.send({
      method: 'POST',
      place: `/v2/${repository}/blobs/uploads/`,
      repository,
      scopes,
    })
    if (answer.status !== 202)
      return findingOf('push', await host.problemOf(answer, 'upload to', place, repository), 'weak')
    await letGo(answer)
    const { location } = answer.headers
    if (location !== undefined && URL.canParse(location, answer.url)) {
      const begun = new URL(location, answer.url)
      await letGo(await host.send({ method: 'DELETE', place: begun, repository, scopes }))
    }
    return good('push', `${place} takes uploads of this user`)
  } catch (error) {
    return findingOf('push', error, 'weak')
  }
}
