import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BuildContext,
  digestOf,
  isSystemError,
  javaTruststore,
  type Layer,
  readCertificates,
  readIfExists,
} from '#sdk'

/** The authorities that programs of the build image trust. */
export interface BuildAuthorities {
  readonly certificates: readonly Buffer[]
  /** Changes with them. */
  readonly digest: string
}

const BUNDLE = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Collects what OpenSSL would trust in this build: the bundle that `SSL_CERT_FILE` names, else the system's, and the hashed names in the
 * directories of `SSL_CERT_DIR`. `undefined` if there is none.
 */
export async function buildAuthorities({
  environment,
}: Pick<BuildContext, 'environment'>): Promise<BuildAuthorities | undefined> {
  const texts = [(await readIfExists(environment.SSL_CERT_FILE || BUNDLE)) ?? '']
  for (const directory of (environment.SSL_CERT_DIR ?? '').split(':').filter(Boolean))
    for (const name of await namesIn(directory))
      if (/^[0-9a-f]{8}\.\d+$/.test(name)) texts.push((await readIfExists(join(directory, name))) ?? '')
  const { certificates } = readCertificates(texts.join('\n'))
  if (certificates.length === 0) return undefined
  return { certificates, digest: digestOf(javaTruststore(certificates)) }
}

/**
 * Lets Java programs of the build trust what the build image trusts. The JVM looks for its own truststore beside the program that a link
 * leads to, so it has to be told.
 */
export async function trustWhileBuilding(layer: Layer, { certificates }: BuildAuthorities): Promise<void> {
  const file = join(layer.directory, 'cacerts')
  await writeFile(file, javaTruststore(certificates))
  layer.environment.build.append('JAVA_TOOL_OPTIONS', `-Djavax.net.ssl.trustStore=${file}`, ' ')
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return []
    throw error
  }
}
