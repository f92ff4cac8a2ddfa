import { lstat } from 'node:fs/promises'
import { type Environment, inheritedEnvironment } from '#cnb'
import type { BuildRoot } from './builder-root.ts'
import type { MachineCertificates } from './extra-certificates.ts'

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
  return new Map([...inherited, ['LANG', 'C.UTF-8'], ['SOURCE_DATE_EPOCH', String(created)], ...trust])
}
