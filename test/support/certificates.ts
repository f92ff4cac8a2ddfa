import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A certificate and its key, in PEM, and the files that hold them. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
  readonly files: { readonly certificate: string; readonly key: string }
}

/** An authority of a test's own, and what it signs: a server on loopback, and a client. */
export interface TestAuthority {
  readonly authority: Certificate
  readonly server: Certificate
  readonly client: Certificate
}

/** Makes an authority and two certificates of it with the machine's `openssl`; undefined where there is none. */
export function makeCertificates(directory: string): TestAuthority | undefined {
  mkdirSync(directory, { recursive: true })
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: directory, stdio: 'pipe' })
  const read = (name: string): Certificate => {
    const files = { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
    return {
      certificate: readFileSync(files.certificate, 'utf8'),
      key: readFileSync(files.key, 'utf8'),
      files,
    }
  }
  const signed = (name: string, extension: string) => {
    writeFileSync(join(directory, `${name}.ext`), extension)
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    )
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    )
    return read(name)
  }
  try {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=authority of a test',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
    )
    const server = signed('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.invalid')
    return { authority: read('ca'), server, client: signed('client', 'extendedKeyUsage=clientAuth') }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
