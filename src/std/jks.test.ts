import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { rootCertificates } from 'node:tls'
import { javaTruststore, javaTruststoreFromPem, printCertificates, readCertificates } from './jks.ts'

const some = rootCertificates.slice(0, 3).join('\n')

describe('Java truststore', () => {
  it('holds each certificate once, whatever the order and however often it is named', () => {
    const { certificates } = readCertificates(some)
    const store = javaTruststore(certificates)
    assert.equal(certificates.length, 3)
    assert.equal(store.readUInt32BE(0), 0xfeedfeed)
    assert.equal(store.readUInt32BE(4), 2)
    assert.equal(store.readUInt32BE(8), 3)
    assert.deepEqual(javaTruststore([...certificates].reverse().concat(certificates)), store)
  })

  it('is sealed with the password over everything before the seal', () => {
    const store = javaTruststoreFromPem(some, 'a test')
    const seal = createHash('sha1')
      .update(Buffer.from('\0c\0h\0a\0n\0g\0e\0i\0t', 'latin1'))
      .update('Mighty Aphrodite')
      .update(store.subarray(0, -20))
      .digest()
    assert.deepEqual(store.subarray(-20), seal)
  })

  it('names entries by subject and fingerprint, in lower case, sorted', () => {
    const { certificates } = readCertificates(some)
    const store = javaTruststore(certificates).toString('latin1')
    const aliases = [...store.matchAll(/\0.([a-z0-9-]+-[0-9a-f]{12})\0{8}\0\x05X\.509/gs)].map(
      match => match[1] ?? '',
    )
    assert.equal(aliases.length, 3)
    assert.deepEqual(aliases, aliases.toSorted())
  })

  it('refuses a bundle without a certificate', () => {
    assert.throws(() => javaTruststoreFromPem('nothing here', 'extra.pem'), {
      code: 'CERTIFICATES_NONE',
      message: /extra\.pem/,
    })
  })
})

describe('certificate bundles', () => {
  it('skip what is not a certificate and count it', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    const { certificates, unreadable } = readCertificates(`# a comment\n${broken}${some}\n${some}`)
    assert.equal(certificates.length, 3)
    assert.equal(unreadable, 1)
  })

  it('are printed so that they read back the same', () => {
    const { certificates } = readCertificates(some)
    const printed = printCertificates(certificates)
    assert.deepEqual(readCertificates(printed).certificates, certificates)
    assert.ok(printed.split('\n').every(line => line.length <= 64))
  })
})
