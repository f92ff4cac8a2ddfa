import { createHash, X509Certificate } from 'node:crypto'
import { byBytes } from './order.ts'
import { Problem } from './problem.ts'

/** The password that every Java program expects of a truststore nobody gave a password. */
export const TRUSTSTORE_PASSWORD = 'changeit'

/** What a PEM bundle held: certificates in DER form, each once, in the order of the text. */
export interface CertificateBundle {
  readonly certificates: readonly Buffer[]
  /** Blocks that are not X.509 certificates; OpenSSL's readers skip such blocks, and so do we. */
  readonly unreadable: number
}

const BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,100000})-----END CERTIFICATE-----/g

/** Finds the certificates of a PEM bundle (RFC 7468). Text between the blocks is ignored. */
export function readCertificates(pem: string): CertificateBundle {
  const found = new Map<string, Buffer>()
  let unreadable = 0
  for (const [, body] of pem.matchAll(BLOCK)) {
    const der = Buffer.from(body ?? '', 'base64')
    if (parsed(der) === undefined) unreadable++
    else found.set(fingerprint(der), der)
  }
  return { certificates: [...found.values()], unreadable }
}

/** Prints certificates as a PEM bundle, sixty-four base64 digits to a line. */
export function printCertificates(certificates: readonly Uint8Array[]): string {
  return certificates
    .map(der =>
      Buffer.from(der)
        .toString('base64')
        .replace(/.{1,64}/g, '$&\n'),
    )
    .map(body => `-----BEGIN CERTIFICATE-----\n${body}-----END CERTIFICATE-----\n`)
    .join('')
}

/**
 * A Java truststore in JKS form, as `keytool -importcert` would write it, made without a JVM. Java 8 and newer read it.
 *
 * Equal certificates give equal bytes: entries are sorted by alias (subject name and the start of the fingerprint) and
 * all carry the time 0. Format: 0xFEEDFEED, version 2, entries, then a SHA-1 over password, "Mighty Aphrodite" and body
 * (sun.security.provider.JavaKeyStore).
 */
export function javaTruststore(
  certificates: readonly Uint8Array[],
  password: string = TRUSTSTORE_PASSWORD,
): Buffer {
  const entries = new Map(certificates.map(der => [aliasOf(der), der]))
  const parts: Uint8Array[] = [integer(0xfeedfeed), integer(2), integer(entries.size)]
  for (const [alias, der] of [...entries].sort(([a], [b]) => byBytes(a, b))) {
    parts.push(integer(2), text(alias), Buffer.alloc(8), text('X.509'), integer(der.byteLength), der)
  }
  const body = Buffer.concat(parts)
  const seal = createHash('sha1')
    .update(Buffer.from(password, 'utf16le').swap16())
    .update('Mighty Aphrodite')
    .update(body)
  return Buffer.concat([body, seal.digest()])
}

/** The truststore of a PEM bundle. Throws a `Problem` (`CERTIFICATES_NONE`) where the bundle holds no certificate. */
export function javaTruststoreFromPem(pem: string, source: string): Buffer {
  const { certificates } = readCertificates(pem)
  if (certificates.length > 0) return javaTruststore(certificates)
  throw new Problem('CERTIFICATES_NONE', {
    what: `Cannot make a Java truststore from ${source}`,
    why: 'there is no X.509 certificate in it',
    fix: 'Name a PEM file with BEGIN CERTIFICATE blocks.',
  })
}

function aliasOf(der: Uint8Array): string {
  const subject = parsed(der)?.subject ?? ''
  const name =
    /^CN=(.+)$/m.exec(subject)?.[1] ?? /^OU=(.+)$/m.exec(subject)?.[1] ?? /^O=(.+)$/m.exec(subject)?.[1]
  const slug = (name ?? 'certificate')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 80)
    .replace(/^-|-$/g, '')
  return `${slug || 'certificate'}-${fingerprint(der).slice(0, 12)}`
}

function parsed(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

function fingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Java's `writeUTF`: two bytes of length, then modified UTF-8, which for ASCII is the text itself. */
function text(value: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(value.length)
  return Buffer.concat([length, Buffer.from(value, 'latin1')])
}
