import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { rootCertificates } from 'node:tls'
import { readCertificates, recording, temporaryDirectory } from '#std'
import { findCertificates, machineCertificates } from './extra-certificates.ts'

const [one = '', two = '', three = ''] = rootCertificates

describe('certificates of the machine', () => {
  it('are those of the first system bundle and of the variables, each once, in one order', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const at = (name: string) => join(directory.path, name)
    await writeFile(at('system'), `${one}\n${two}`)
    await writeFile(at('unused'), three)
    await writeFile(at('extra'), `${two}\n${three}`)
    const bundles = [at('absent'), at('system'), at('unused')]
    const system = await findCertificates({}, bundles)
    const both = await findCertificates(
      { SSL_CERT_FILE: at('system'), NODE_EXTRA_CA_CERTS: at('extra') },
      bundles,
    )
    assert.equal(system.certificates.length, 2)
    assert.equal(both.certificates.length, 3)
    assert.deepEqual(both.warnings, [])
    await writeFile(at('system'), `${three}\n${two}\n${one}`)
    assert.deepEqual(await findCertificates({}, bundles), both)
  })

  it('are used without those files that are missing or hold none, and that is said', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const empty = join(directory.path, 'empty')
    await writeFile(empty, 'nothing')
    const found = await findCertificates({ SSL_CERT_FILE: '/no/such/file', CURL_CA_BUNDLE: empty }, [])
    assert.equal(found.certificates.length, 0)
    assert.equal(found.warnings.length, 2)
    assert.match(found.warnings.join('\n'), /SSL_CERT_FILE names \/no\/such\/file/)
  })

  it('become a PEM bundle and a Java truststore that stay the same', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const extra = join(directory.path, 'extra.pem')
    await writeFile(extra, one)
    const report = recording()
    const first = await machineCertificates(directory.path, { SSL_CERT_FILE: extra }, report)
    const second = await machineCertificates(directory.path, { SSL_CERT_FILE: extra }, report)
    assert.ok(first)
    assert.deepEqual(second, first)
    assert.equal(readCertificates(await readFile(first.pem, 'utf8')).certificates.length, first.count)
    assert.equal((await readFile(first.java)).readUInt32BE(8), first.count)
  })
})
