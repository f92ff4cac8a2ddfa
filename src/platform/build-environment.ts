import { type Environment, inheritedEnvironment } from '#cnb'
import type { BaseSettings } from '#os'
import type { MachineCertificates } from './extra-certificates.ts'

const PEM = '/etc/ssl/certs/ca-certificates.crt'
const JAVA = '/etc/ssl/certs/java/cacerts'

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
 * What buildpacks inherit: the environment of the build image, its user's home, and how this machine reaches the network. Nothing else of
 * the caller's environment.
 */
export function buildEnvironment(
  { config }: BaseSettings,
  machine: Readonly<Record<string, string | undefined>>,
): Environment {
  const image = Object.fromEntries(
    config.Env.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
  const { HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = machine
  return inheritedEnvironment({
    ...{ HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy },
    ...{ PATH: image.PATH, CNB_STACK_ID: image.CNB_STACK_ID, HOME: '/home/cnb' },
  })
}

/**
 * The variables of `<platform>/env`: those of the user over those of the project, over what makes builds reach the same servers as this
 * machine does and give the same result anywhere.
 */
export function platformVariables(
  project: ReadonlyMap<string, string>,
  user: ReadonlyMap<string, string>,
  created: number,
  certificates: MachineCertificates | undefined,
): Record<string, string> {
  const own: [string, string][] = [
    ['LANG', 'C.UTF-8'],
    ['SOURCE_DATE_EPOCH', String(created)],
    ...(certificates ? CERTIFICATE_VARIABLES.map((name): [string, string] => [name, PEM]) : []),
    ...(certificates ? [['SLIPWAY_JAVA_TRUSTSTORE', JAVA] as [string, string]] : []),
  ]
  return Object.fromEntries([...own, ...project, ...user])
}
