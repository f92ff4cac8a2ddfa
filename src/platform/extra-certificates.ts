import { join } from 'node:path'
import {
  byBytes,
  digestOf,
  hexOf,
  javaTruststore,
  printCertificates,
  type Report,
  readCertificates,
  readIfExists,
  writeDurably,
} from '#std'

/** The certificate authorities that this machine trusts, as files that a sandbox can be handed. */
export interface MachineCertificates {
  /** A PEM bundle, for `/etc/ssl/certs/ca-certificates.crt`. */
  readonly pem: string
  /** The same as a Java truststore, for `/etc/ssl/certs/java/cacerts`. */
  readonly java: string
  /** How many authorities there are. */
  readonly count: number
}

/** Where distributions keep the bundle of all authorities. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

const VARIABLES = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE']

/** Everything that was found, as PEM, with what was odd about it. */
export interface FoundCertificates {
  readonly certificates: readonly Buffer[]
  readonly warnings: readonly string[]
}

/**
 * Collects the authorities that this machine trusts: the system's bundle and whatever `SSL_CERT_FILE`,
 * `NODE_EXTRA_CA_CERTS`, `CURL_CA_BUNDLE` and `REQUESTS_CA_BUNDLE` name, each certificate once, sorted.
 */
export async function findCertificates(
  environment: Readonly<Record<string, string | undefined>>,
  bundles: readonly string[] = SYSTEM_BUNDLES,
): Promise<FoundCertificates> {
  const warnings: string[] = []
  const texts: string[] = []
  for (const path of bundles) {
    const text = await readIfExists(path)
    if (text === undefined) continue
    texts.push(text)
    break
  }
  for (const variable of VARIABLES) {
    const path = environment[variable]
    if (!path || bundles.includes(path)) continue
    const text = await readIfExists(path)
    if (text === undefined) warnings.push(`${variable} names ${path}, which is not there`)
    else if (readCertificates(text).certificates.length === 0)
      warnings.push(`${path} (${variable}) holds no certificate`)
    else texts.push(text)
  }
  const { certificates } = readCertificates(texts.join('\n'))
  const sorted = certificates.toSorted((a, b) => byBytes(digestOf(a), digestOf(b)))
  return { certificates: sorted, warnings }
}

/**
 * Writes the authorities that this machine trusts below `<home>/certificates`, named by their content, so that programs
 * in a sandbox reach the same servers as programs outside. They are for the build only: no image carries them.
 * `undefined` where the machine has none of its own.
 */
export async function machineCertificates(
  home: string,
  environment: Readonly<Record<string, string | undefined>>,
  report: Report,
): Promise<MachineCertificates | undefined> {
  const { certificates, warnings } = await findCertificates(environment)
  for (const warning of warnings) report.warn(warning)
  if (certificates.length === 0) return undefined
  const bundle = printCertificates(certificates)
  const name = hexOf(digestOf(bundle))
  const pem = join(home, 'certificates', `${name}.pem`)
  const java = join(home, 'certificates', `${name}.jks`)
  if ((await readIfExists(pem)) !== bundle || (await readIfExists(java)) === undefined) {
    await writeDurably(java, javaTruststore(certificates))
    await writeDurably(pem, bundle)
  }
  return { pem, java, count: certificates.length }
}
