import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import {
  byBytes,
  check,
  digestOf,
  hexOf,
  javaTruststore,
  parseJson,
  printCertificates,
  printJson,
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

/** `./slipway` hands `NODE_EXTRA_CA_CERTS` on as `SLIPWAY_EXTRA_CA_CERTS`. */
const VARIABLES = [
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'SLIPWAY_EXTRA_CA_CERTS',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
]

/** Everything that was found, as PEM, with what was odd about it. */
export interface FoundCertificates {
  readonly certificates: readonly Buffer[]
  readonly warnings: readonly string[]
}

/** Files that hold authorities, as they are, each with what named it. */
interface FoundBundles {
  readonly bundles: readonly { readonly text: string; readonly path: string; readonly variable?: string }[]
  readonly warnings: readonly string[]
}

async function findBundles(
  environment: Readonly<Record<string, string | undefined>>,
  systemBundles: readonly string[],
): Promise<FoundBundles> {
  const warnings: string[] = []
  const bundles: FoundBundles['bundles'][number][] = []
  for (const path of systemBundles) {
    const text = await readIfExists(path)
    if (text === undefined) continue
    bundles.push({ text, path })
    break
  }
  for (const variable of VARIABLES) {
    const path = environment[variable]
    if (!path || systemBundles.includes(path)) continue
    const text = await readIfExists(path)
    if (text === undefined) warnings.push(`${variable} names ${path}, which is not there`)
    else bundles.push({ text, path, variable })
  }
  return { bundles, warnings }
}

function readBundles({ bundles, warnings }: FoundBundles): FoundCertificates {
  const empty = bundles
    .filter(({ text, variable }) => variable && readCertificates(text).certificates.length === 0)
    .map(({ path, variable }) => `${path} (${variable}) holds no certificate`)
  const { certificates } = readCertificates(bundles.map(({ text }) => text).join('\n'))
  const sorted = certificates.toSorted((a, b) => byBytes(digestOf(a), digestOf(b)))
  return { certificates: sorted, warnings: [...warnings, ...empty] }
}

/**
 * Collects the authorities that this machine trusts: the system's bundle and whatever `SSL_CERT_FILE`,
 * `NODE_EXTRA_CA_CERTS`, `CURL_CA_BUNDLE` and `REQUESTS_CA_BUNDLE` name, each certificate once, sorted.
 */
export async function findCertificates(
  environment: Readonly<Record<string, string | undefined>>,
  bundles: readonly string[] = SYSTEM_BUNDLES,
): Promise<FoundCertificates> {
  return readBundles(await findBundles(environment, bundles))
}

/** What was made of the same bundles before; only a memory, so what cannot be read is as good as nothing. */
const recordSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  count: v.number(),
  warnings: v.array(v.string()),
})

/**
 * Writes the authorities that this machine trusts below `<home>/certificates`, named by their content, so that programs
 * in a sandbox reach the same servers as programs outside. They are for the build only: no image carries them. As long as the machine's
 * bundles do not change, they are not parsed again. `undefined` where the machine has none of its own.
 */
export async function machineCertificates(
  home: string,
  environment: Readonly<Record<string, string | undefined>>,
  report: Report,
): Promise<MachineCertificates | undefined> {
  const found = await findBundles(environment, SYSTEM_BUNDLES)
  const place = (name: string, extension: string) => join(home, 'certificates', `${name}.${extension}`)
  const record = place(hexOf(digestOf(JSON.stringify(found))), 'json')
  const known = await recorded(record)
  if (known && existsSync(place(known.name, 'pem')) && existsSync(place(known.name, 'jks'))) {
    for (const warning of known.warnings) report.warn(warning)
    return { pem: place(known.name, 'pem'), java: place(known.name, 'jks'), count: known.count }
  }
  const { certificates, warnings } = readBundles(found)
  for (const warning of warnings) report.warn(warning)
  if (certificates.length === 0) return undefined
  const bundle = printCertificates(certificates)
  const name = hexOf(digestOf(bundle))
  await writeDurably(place(name, 'jks'), javaTruststore(certificates))
  await writeDurably(place(name, 'pem'), bundle)
  await writeDurably(record, printJson({ name, count: certificates.length, warnings }))
  return { pem: place(name, 'pem'), java: place(name, 'jks'), count: certificates.length }
}

async function recorded(path: string): Promise<v.InferOutput<typeof recordSchema> | undefined> {
  const text = await readIfExists(path)
  if (text === undefined) return undefined
  try {
    return check(recordSchema, parseJson(text, path), path)
  } catch {
    return undefined
  }
}
