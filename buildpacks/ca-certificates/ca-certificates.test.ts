import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readCertificates } from '#sdk'
import { names, workbench } from '../workbench.testing.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'
import { subjectHash } from './subject-hash.ts'

/** ISRG Root X2, a public authority. `openssl x509 -subject_hash` says 0b9bc432. */
const PEM = `-----BEGIN CERTIFICATE-----
MIICGzCCAaGgAwIBAgIQQdKd0XLq7qeAwSxs6S+HUjAKBggqhkjOPQQDAzBPMQsw
CQYDVQQGEwJVUzEpMCcGA1UEChMgSW50ZXJuZXQgU2VjdXJpdHkgUmVzZWFyY2gg
R3JvdXAxFTATBgNVBAMTDElTUkcgUm9vdCBYMjAeFw0yMDA5MDQwMDAwMDBaFw00
MDA5MTcxNjAwMDBaME8xCzAJBgNVBAYTAlVTMSkwJwYDVQQKEyBJbnRlcm5ldCBT
ZWN1cml0eSBSZXNlYXJjaCBHcm91cDEVMBMGA1UEAxMMSVNSRyBSb290IFgyMHYw
EAYHKoZIzj0CAQYFK4EEACIDYgAEzZvVn4CDCuwJSvMWSj5cz3es3mcFDR0HttwW
+1qLFNvicWDEukWVEYmO6gbf9yoWHKS5xcUy4APgHoIYOIvXRdgKam7mAHf7AlF9
ItgKbppbd9/w+kHsOdx1ymgHDB/qo0IwQDAOBgNVHQ8BAf8EBAMCAQYwDwYDVR0T
AQH/BAUwAwEB/zAdBgNVHQ4EFgQUfEKWrt5LSDv6kviejM9ti6lyN5UwCgYIKoZI
zj0EAwMDaAAwZQIwe3lORlCEwkSHRhtFcP9Ymd70/aTSVaYgLXTWNLxBo1BfASdW
tL4ndQavEi51mI38AjEAi/V3bNTIZargCyzuFJ0nN6T5U6VR5CmD1/iQMVtCnwr1
/q4AaOeMSQ+2b1tbFfLn
-----END CERTIFICATE-----
`
const bindings = { ca: { type: 'ca-certificates', 'root.pem': PEM } }
const helper = { name: 'ca-certificates-helper' }

describe('ca-certificates', () => {
  it('offers, and brings nothing by itself, where there is no binding', async () => {
    await using bench = await workbench({ buildpack: 'ca-certificates', files: {} })
    const plan = await bench.detect(detect)
    assert.deepEqual(names(plan, 'provides'), ['ca-certificates'])
    assert.deepEqual(names(plan, 'requires'), [])
    assert.equal(plan?.or, undefined)
  })

  it('brings the start-up helper without a binding where it is asked for', async () => {
    const environment = { BP_ENABLE_RUNTIME_CERT_BINDING: 'true' }
    await using bench = await workbench({ buildpack: 'ca-certificates', files: {}, environment })
    const plan = await bench.detect(detect)
    assert.deepEqual(names(plan, 'provides'), ['ca-certificates', 'ca-certificates-helper'])
    assert.deepEqual(names(plan, 'requires'), ['ca-certificates-helper'])
    assert.deepEqual(plan?.or, [{ provides: [helper], requires: [helper] }])
  })

  it('requires what bindings hold, and no helper that nobody wants', async () => {
    await using bench = await workbench({
      buildpack: 'ca-certificates',
      files: {},
      bindings,
      environment: { BP_RUNTIME_CERT_BINDING_DISABLED: 'true' },
    })
    const requires = (await bench.detect(detect))?.requires as {
      name: string
      metadata: { paths: string[] }
    }[]
    assert.deepEqual(
      requires.map(({ name }) => name),
      ['ca-certificates'],
    )
    assert.match(requires[0]?.metadata.paths[0] ?? '', /bindings\/ca\/root\.pem$/)
  })

  it('lets the build trust them, by name and in one file over the old one, and keeps nothing for the image', async () => {
    await using bench = await workbench({
      buildpack: 'ca-certificates',
      files: { 'old.pem': PEM, 'new.pem': PEM },
    })
    const paths = [join(bench.application, 'new.pem')]
    await bench.build(build, [{ name: 'ca-certificates', metadata: { paths } }, helper])
    assert.deepEqual(bench.table('ca-certificates.toml')?.types, { launch: false, build: true, cache: false })
    assert.equal(bench.file('ca-certificates/ca-certificates/0b9bc432.0'), PEM)
    const bundle = bench.file('ca-certificates/env.build/SSL_CERT_FILE.override')
    assert.ok(readCertificates(readFileSync(bundle, 'utf8')).certificates.length >= 1)
    assert.ok(!existsSync(join(bench.layers, 'ca-certificates/env.launch')))
    assert.equal(readlinkSync(join(bench.layers, 'helper/exec.d/ca-certificates')), '/cnb/lifecycle/launcher')
  })

  it('embeds them if asked, beside the authorities of the base', async () => {
    await using bench = await workbench({
      buildpack: 'ca-certificates',
      files: { 'new.pem': PEM },
      environment: { BP_EMBED_CERTS: 'true' },
    })
    const paths = [join(bench.application, 'new.pem')]
    await bench.build(build, [{ name: 'ca-certificates', metadata: { paths } }])
    assert.deepEqual(bench.table('ca-certificates.toml')?.types, { launch: true, build: true, cache: false })
    assert.equal(
      bench.file('ca-certificates/env.launch/SSL_CERT_DIR.append'),
      join(bench.layers, 'ca-certificates/ca-certificates'),
    )
    assert.deepEqual(readdirSync(join(bench.layers, 'ca-certificates/ca-certificates')), ['0b9bc432.0'])
  })

  it('says which entry of a binding holds no certificate', async () => {
    await using bench = await workbench({ buildpack: 'ca-certificates', files: { 'bad.pem': 'hello' } })
    const paths = [join(bench.application, 'bad.pem')]
    await assert.rejects(bench.build(build, [{ name: 'ca-certificates', metadata: { paths } }]), {
      code: 'BINDING_NO_CERTIFICATE',
      why: /bad\.pem/,
    })
  })
})

describe('subjectHash', () => {
  it('is the one of OpenSSL', () => assert.equal(subjectHash(new X509Certificate(PEM).raw), '0b9bc432'))

  it('agrees with the names that this machine has, if it has them', t => {
    const directory = '/etc/ssl/certs'
    const found = existsSync(directory)
      ? readdirSync(directory).filter(name => /^[0-9a-f]{8}\.0$/.test(name))
      : []
    if (found.length === 0) return t.skip('no hashed certificates here')
    for (const name of found) {
      const { raw } = new X509Certificate(readFileSync(join(directory, name)))
      assert.equal(`${subjectHash(raw)}.0`, name)
    }
  })
})
