import { lstat } from 'node:fs/promises'
import { type Environment, inheritedEnvironment } from '#cnb'
import { configuredNpmRegistry } from '#sources'
import type { BuildRoot } from '../builder/root.ts'
import type { MachineCertificates } from '../machine/extra-certificates.ts'

const PEM = '/etc/ssl/certs/ca-certificates.crt'

/** How programs are told of authorities; each ecosystem has a variable of its own. */
const CERTIFICATE_VARIABLES = [
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'NODE_EXTRA_CA_CERTS',
  'PIP_CERT',
  'REQUESTS_CA_BUNDLE',
  'CARGO_HTTP_CAINFO',
]

/**
 * What buildpacks inherit: the environment of the build image, its user's home, how this machine reaches the network and whom it trusts there,
 * and what makes builds give the same result anywhere. Nothing else of the caller's environment; layers, the project and the user override all of it.
 */
export async function buildEnvironment(
  { environment, user, directory }: BuildRoot,
  machine: Readonly<Record<string, string | undefined>>,
  created: number,
  certificates: MachineCertificates | undefined,
): Promise<Environment> {
  const { HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = machine
  const inherited = inheritedEnvironment({
    ...environment,
    ...{ HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy },
    HOME: user.home,
  })
  const trusts = certificates && (await lstat(`${directory}${PEM}`).catch(() => undefined))?.isFile()
  const trust = trusts ? CERTIFICATE_VARIABLES.map((name): [string, string] => [name, PEM]) : []
  return new Map([
    ...inherited,
    ['LANG', 'C.UTF-8'],
    ['SOURCE_DATE_EPOCH', String(created)],
    ...trust,
    ...(await npmRegistry(machine)),
  ])
}

/** Where this machine gets npm packages from, if somebody said so; our buildpack for npm takes it where a project says nothing. Credentials stay here. */
async function npmRegistry(
  machine: Readonly<Record<string, string | undefined>>,
): Promise<[string, string][]> {
  const places = { environment: machine, home: machine.HOME ?? '/', node: process.execPath }
  const registry = await configuredNpmRegistry(places)
  return registry === undefined ? [] : [['SLIPWAY_NPM_REGISTRY', registry]]
}
