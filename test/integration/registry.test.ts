import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import {
  append,
  emptyImage,
  type Image,
  openLayout,
  openRegistries,
  parseReference,
  type RegistriesOptions,
} from '../../src/oci/mod.ts'
import { imageOf, layerOf, noise } from '../../src/oci/oci.testing.ts'
import { examineRegistry, listRegistry, removeFromRegistries } from '../../src/platform/mod.ts'
import { digestOf, readAll } from '../../src/std/mod.ts'
import { makeCertificates } from '../support/certificates.ts'
import { referenceTools } from '../support/reference.ts'
import { startCraneRegistry, startDebianRegistry, type TestRegistry } from '../support/registry.ts'

/** Our registry client against the servers of others: Debian's docker-registry, open and behind TLS and a password, and the one of go-containerregistry; with their own client as a witness. */

let place: string
before(() => {
  place = mkdtempSync(join(tmpdir(), 'slipway-registry-'))
})
after(() => rmSync(place, { recursive: true, force: true }))

const PLATFORM = { os: 'linux', architecture: 'amd64' }
const open = (options: Partial<RegistriesOptions> = {}) =>
  openRegistries({ environment: {}, userHome: place, platform: PLATFORM, patience: 1, ...options })
const LARGE = noise(20_000_000)

async function publish(host: string, options: Partial<RegistriesOptions> = {}) {
  await using registries = open(options)
  const store = registries.store(parseReference(`${host}/team/shop`))
  const layers = await Promise.all([
    store.addLayer(() => layerOf({ large: LARGE })),
    store.addLayer(() => layerOf({ small: 'small' })),
    store.addLayer(() => layerOf({})),
  ])
  const image = append(
    emptyImage('linux', 'amd64'),
    layers.map(layer => ({ layer, history: {} })),
  )
  const names = [`${host}/team/shop:1`, `${host}/team/shop:latest`, `${host}/team/other:1`]
  return await store.write(image, names)
}

async function plain(image: Image) {
  return await Promise.all(
    image.layers.map(async layer => digestOf(await readAll(await layer.uncompressed()))),
  )
}

const servers: Record<string, () => Promise<TestRegistry | string>> = {
  'go-containerregistry': startCraneRegistry,
  'Docker Distribution': startDebianRegistry,
}
for (const [name, start] of Object.entries(servers)) {
  describe(`the registry of ${name}`, () => {
    let server: TestRegistry | string
    before(async () => {
      server = await start()
    })
    after(async () => {
      if (typeof server !== 'string') await server[Symbol.asyncDispose]()
    })
    const when = (says: string, act: (host: string) => Promise<void>) =>
      it(says, async t => (typeof server === 'string' ? t.skip(server) : await act(server.host)))

    when(
      'takes an image under several names, and gives it back by each of them and by digest',
      async host => {
        const written = await publish(host)
        await using registries = open()
        const store = registries.store(parseReference(`${host}/team/shop`))
        for (const reference of [
          'shop:1',
          'shop',
          'other:1',
          `other@${written.digest}`,
          `shop:nonsense@${written.digest}`,
        ]) {
          const found = await store.image(`${host}/team/${reference}`)
          assert.equal(found?.digest, written.digest)
          assert.deepEqual(await plain(found), written.config.rootfs.diff_ids)
        }
        assert.equal(await store.image(`${host}/team/shop:2`), undefined)
        assert.equal(await store.image(`${host}/no/such`), undefined)
      },
    )

    when('gives the same to the client of go-containerregistry', async host => {
      const tools = await referenceTools(['crane'])
      assert.ok(typeof tools === 'object', String(tools))
      const written = await publish(host)
      const crane = async (...words: string[]) =>
        (await promisify(execFile)(tools.crane, words)).stdout.trim()
      assert.equal(await crane('digest', `${host}/team/other:1`), written.digest)
      await crane('validate', '--remote', `${host}/team/shop:1`)
      await crane('copy', `${host}/team/shop:1`, `${host}/theirs/shop:1`)
      await using registries = open()
      const theirs = await registries
        .store(parseReference(`${host}/theirs/shop`))
        .image(`${host}/theirs/shop:1`)
      assert.equal(theirs?.digest, written.digest)
      await crane('index', 'append', '-m', `${host}/team/shop:1`, '-t', `${host}/team/index`)
      assert.equal(
        (await registries.store(parseReference(`${host}/team/index`)).image(`${host}/team/index`))?.digest,
        written.digest,
      )
    })

    when('takes layers from the disk and gives them to it, digests as they were', async host => {
      const store = openLayout(join(place, `images-${host.split(':')[1]}`))
      const image = await store.write(await imageOf(store, { a: noise(3_000_000, 5) }, { b: 'b' }), ['disk'])
      await using registries = open()
      const remote = registries.store(parseReference(`${host}/from/disk`))
      for (const layer of image.layers) await remote.importLayer(layer)
      const documents = {
        manifest: await store.blobs.read(image.digest),
        config: await store.blobs.read(image.configDigest),
      }
      await remote.adopt(image, documents, [`${host}/from/disk:1`])
      const back = await remote.image(`${host}/from/disk:1`)
      assert.equal(back?.digest, image.digest)
      assert.deepEqual(await remote.documents(`${host}/from/disk:1`, back as typeof image), documents)
    })

    when('is asked what it has, and told to forget it', async host => {
      const { digest } = await publish(host)
      await using registries = open()
      const list = async (name: string) => {
        const found: string[] = []
        for await (const each of listRegistry(registries, name)) found.push(each)
        return found.filter(each => !each.includes(':sha256')).sort()
      }
      assert.deepEqual(await list(`${host}/team/shop`), [`${host}/team/shop:1`, `${host}/team/shop:latest`])
      assert.ok((await list(host)).includes(`${host}/team/shop`))
      const exact = `${host}/team/shop@${digest}`
      assert.deepEqual(await removeFromRegistries(registries, [exact], false), [`docker://${exact}`])
      assert.equal(await registries.store(parseReference(exact)).image(exact), undefined)
      await assert.rejects(removeFromRegistries(registries, [exact], false), { code: 'IMAGE_MISSING' })
      assert.deepEqual(await removeFromRegistries(registries, [exact], true), [])
    })

    when('is found to be well by the doctor', async host => {
      await publish(host)
      await using registries = open()
      const findings = await all(
        examineRegistry({ place: `${host}/team/shop:1`, registries, environment: {} }),
      )
      assert.deepEqual(
        findings.map(({ name, state }) => `${name} ${state}`),
        ['name good', 'connection good', 'registry good', 'user good', 'pull good', 'push good'],
      )
    })
  })
}

describe('Docker Distribution behind TLS and a password', () => {
  it('takes who is known to it, by an authority that is known to us', async t => {
    const tls = makeCertificates(join(place, 'tls'))
    if (!tls) return t.skip('there is no openssl on this machine')
    const htpasswd = join(place, 'htpasswd')
    writeFileSync(htpasswd, 'ann:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n')
    const server = await startDebianRegistry({ tls: tls.server.files, htpasswd })
    if (typeof server === 'string') return t.skip(server)
    await using _ = server
    const { host } = server
    const pem = tls.authority.certificate
    const certificates = async () => pem
    const docker = join(place, 'docker')
    mkdirSync(docker, { recursive: true })
    const login = (password: string) => {
      const auth = Buffer.from(`ann:${password}`).toString('base64')
      writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
      return { certificates, environment: { DOCKER_CONFIG: docker } }
    }
    await assert.rejects(publish(host), { code: 'HTTP_UNREACHABLE' })
    await assert.rejects(publish(host, { certificates }), {
      code: 'REGISTRY_UNAUTHORIZED',
      message: /no credentials/,
    })
    await assert.rejects(publish(host, login('wrong')), {
      code: 'REGISTRY_UNAUTHORIZED',
      message: /does not accept/,
    })
    const written = await publish(host, login('secret'))
    await using registries = open(login('secret'))
    const found = await registries.store(parseReference(`${host}/team/shop`)).image(`${host}/team/shop:1`)
    assert.equal(found?.digest, written.digest)

    const says = async (options: Partial<RegistriesOptions>) => {
      await using asked = open(options)
      const findings = await all(
        examineRegistry({
          place: `${host}/team/shop`,
          registries: asked,
          environment: {},
        }),
      )
      const last = findings.at(-1)
      return `${last?.name} ${last?.state}: ${last?.found} ${last?.fix ?? ''}`
    }
    assert.match(await says({}), /^registry missing: .*certificate.*certs\.d/s)
    assert.match(await says({ certificates }), /^user missing: .*docker login/s)
    assert.match(await says(login('wrong')), /^user missing: .*does not accept/s)
    assert.match(await says(login('secret')), /^push good/)
  })
})

async function all<Each>(coming: AsyncIterable<Each>): Promise<Each[]> {
  const found: Each[] = []
  for await (const each of coming) found.push(each)
  return found
}
