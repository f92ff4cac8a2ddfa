import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  append,
  emptyImage,
  openRegistries,
  parseReference,
  type RegistriesOptions,
} from '../../src/oci/mod.ts'
import { layerOf, noise } from '../../src/oci/oci.testing.ts'
import { readAll } from '../../src/std/mod.ts'
import { makeCertificates, type TestAuthority } from '../support/certificates.ts'
import {
  type Act,
  cutRequestAfter,
  type FaultRegistry,
  say,
  startFaultRegistry,
} from '../support/fault-registry.ts'

/** Who is told what opens a registry, and who is not; over loopback, with servers that ask for it as real ones do. */

let home: string
let tls: TestAuthority | undefined
before(() => {
  home = mkdtempSync(join(tmpdir(), 'slipway-credentials-'))
  tls = makeCertificates(join(home, 'tls'))
})
after(() => rmSync(home, { recursive: true, force: true }))

const ANN = `Basic ${Buffer.from('ann:secret').toString('base64')}`
const PLATFORM = { os: 'linux', architecture: 'amd64' }
const open = (options: Partial<RegistriesOptions> = {}) =>
  openRegistries({
    environment: {},
    userHome: join(home, 'nobody'),
    platform: PLATFORM,
    patience: 1,
    ...options,
  })
const authFor = (host: string, value = ANN) => ({
  environment: { CNB_REGISTRY_AUTH: JSON.stringify({ [host]: value }) },
})

async function push(server: FaultRegistry, options: Partial<RegistriesOptions>) {
  await using registries = open(options)
  const name = `${server.host}/team/shop`
  const store = registries.store(parseReference(name))
  const layer = await store.addLayer(() => layerOf({ a: noise(2_000_000) }))
  return await store.write(append(emptyImage('linux', 'amd64'), [{ layer, history: {} }]), [`${name}:1`])
}

async function pull(server: FaultRegistry, options: Partial<RegistriesOptions>) {
  await using registries = open(options)
  const image = await registries
    .store(parseReference(`${server.host}/team/shop`))
    .image(`${server.host}/team/shop:1`)
  return (
    image && (await readAll(await (image.layers[0] as (typeof image.layers)[number]).compressed())).length
  )
}

/** Answers only those who show one of `taken`; others are told what it wants. */
function demanding(server: FaultRegistry, demand: () => string, taken: () => readonly string[]) {
  const guard: Act = (request, response, pass) =>
    taken().includes(request.headers.authorization ?? '')
      ? pass()
      : say(401, { 'www-authenticate': demand() })(request, response, pass)
  server.on(/\/v2\//, guard, Number.POSITIVE_INFINITY)
}

/** A token server beside the registry: each token is new; what it was asked is kept. */
function issuing(server: FaultRegistry) {
  const issued: string[] = []
  const asked: { url: URL; authorization: string; form: string }[] = []
  server.on(
    /\/token/,
    async (request, response, pass) => {
      const form = (await readAll(request)).toString()
      asked.push({
        url: new URL(request.url ?? '', 'http://x'),
        authorization: request.headers.authorization ?? '-',
        form,
      })
      issued.push(`Bearer t${issued.length}`)
      const token = (issued.at(-1) as string).replace('Bearer ', '')
      await say(
        200,
        {},
        JSON.stringify(request.method === 'POST' ? { access_token: token } : { token, expires_in: 60 }),
      )(request, response, pass)
    },
    Number.POSITIVE_INFINITY,
  )
  return { issued, asked }
}

describe('basic authentication', () => {
  it('is given to a host that asks for it, and only then', async () => {
    await using server = await startFaultRegistry()
    await push(server, authFor(server.host))
    assert.deepEqual([...new Set(server.authorizations)], ['-'])
    demanding(
      server,
      () => 'Basic realm="x"',
      () => [ANN],
    )
    server.authorizations.length = 0
    await push(server, authFor(server.host))
    assert.deepEqual(server.authorizations.slice(0, 3), ['-', ANN, ANN])
  })

  it('that is wrong or missing ends in words that say so, and show none of it', async () => {
    await using server = await startFaultRegistry()
    demanding(
      server,
      () => 'Basic realm="x"',
      () => [ANN],
    )
    await assert.rejects(push(server, {}), { code: 'REGISTRY_UNAUTHORIZED', message: /no credentials/ })
    const wrong = `Basic ${Buffer.from('ann:wr0ng').toString('base64')}`
    await assert.rejects(
      push(server, authFor(server.host, wrong)),
      (error: Error & { code: string; fix: string }) => {
        assert.equal(error.code, 'REGISTRY_UNAUTHORIZED')
        assert.doesNotMatch(`${error.message}${error.fix}`, /wr0ng|YW5u/)
        return true
      },
    )
    assert.ok(server.requests.length < 8, 'it asks again and again')
  })

  it('is not for a redirect, a Location, or a host that only looks the same', async () => {
    await using server = await startFaultRegistry()
    await using other = await startFaultRegistry()
    await push(server, {})
    for (const [name, repository] of server.registry.contents.blobs)
      for (const bytes of repository.values()) other.registry.put(name, bytes)
    demanding(
      server,
      () => 'Basic realm="x"',
      () => [ANN],
    )
    server.on(/^GET .*blobs/, () => {}, 0)
    await using away = await startFaultRegistry()
    demanding(
      away,
      () => 'Basic realm="x"',
      () => [ANN],
    )
    for (const [name, manifests] of server.registry.contents.manifests)
      for (const [tag, { type, bytes }] of manifests) away.registry.putManifest(name, [tag], type, bytes)
    const led: Act = (request, response, pass) =>
      say(307, { location: `http://${other.host}${request.url}` })(request, response, pass)
    const leading = await startFaultRegistry()
    await using _ = leading
    leading.registry.contents.manifests.set(
      'team/shop',
      server.registry.contents.manifests.get('team/shop') as never,
    )
    leading.on(/^GET .*blobs/, led, 99)
    assert.ok(await pull(leading, authFor(leading.host)))
    leading.on(
      /^POST/,
      (request, response, pass) =>
        request.headers.authorization === ANN
          ? say(202, { location: `http://${other.host}/v2/team/shop/blobs/uploads/x` })(
              request,
              response,
              pass,
            )
          : say(401, { 'www-authenticate': 'Basic realm="x"' })(request, response, pass),
      99,
    )
    await assert.rejects(push(leading, authFor(leading.host)))
    assert.ok(leading.authorizations.includes(ANN))
    assert.ok(
      other.requests.some(each => each.startsWith('PATCH')),
      'nothing was sent to the place that was named',
    )
    assert.deepEqual([...new Set(other.authorizations)], ['-'])
    // What asks for credentials elsewhere does not get those of the first.
    other.on(/^GET .*blobs/, say(401, { 'www-authenticate': 'Basic realm="x"' }), 99)
    await assert.rejects(pull(leading, authFor(leading.host)))
    assert.deepEqual([...new Set(other.authorizations)], ['-'])
  })
})

describe('tokens', () => {
  it('are asked for with the credentials, by scope, of a token server on the same host', async () => {
    await using server = await startFaultRegistry()
    const { issued, asked } = issuing(server)
    demanding(
      server,
      () =>
        `Bearer realm="http://${server.host}/token",service="shop & co",scope="repository:team/shop:pull"`,
      () => issued,
    )
    await push(server, authFor(server.host))
    assert.deepEqual(
      asked.map(({ url }) => url.searchParams.getAll('scope').join(' ')),
      ['repository:team/shop:pull,push'],
    )
    assert.equal(asked[0]?.url.searchParams.get('service'), 'shop & co')
    assert.deepEqual([...new Set(asked.map(({ authorization }) => authorization))], [ANN])
    assert.ok(
      !server.authorizations.some((each, at) => each === ANN && !server.requests[at]?.includes('/token')),
      'the registry saw the password',
    )
  })

  it('are asked for without credentials where there are none', async () => {
    await using server = await startFaultRegistry()
    await push(server, {})
    const { issued, asked } = issuing(server)
    demanding(
      server,
      () => `Bearer realm="http://${server.host}/token"`,
      () => issued,
    )
    assert.ok(await pull(server, {}))
    assert.deepEqual(
      asked.map(({ authorization }) => authorization),
      ['-'],
    )
  })

  it('are asked for again where one is no longer taken, in the middle of a push', async () => {
    await using server = await startFaultRegistry()
    const { issued } = issuing(server)
    let count = 0
    demanding(
      server,
      () => `Bearer realm="http://${server.host}/token"`,
      () => (++count % 3 === 0 ? [] : issued.slice(-1)),
    )
    server.on(/^PATCH/, cutRequestAfter(500_000))
    await push(server, authFor(server.host))
    assert.ok(issued.length > 2)
    assert.ok(await pull(server, { ...authFor(server.host) }))
  })

  it('end in words where each new one is refused too', async () => {
    await using server = await startFaultRegistry()
    const { issued } = issuing(server)
    demanding(
      server,
      () => `Bearer realm="http://${server.host}/token"`,
      () => [],
    )
    await assert.rejects(push(server, authFor(server.host)), { code: 'REGISTRY_UNAUTHORIZED' })
    assert.ok(issued.length <= 3)
  })

  it('of a token server elsewhere are asked for without credentials, until somebody says that it belongs to the registry', async () => {
    await using server = await startFaultRegistry()
    await using elsewhere = await startFaultRegistry()
    const { issued, asked } = issuing(elsewhere)
    demanding(
      server,
      () => `Bearer realm="http://${elsewhere.host}/token"`,
      () => (asked.at(-1)?.authorization === ANN ? issued : []),
    )
    await assert.rejects(push(server, authFor(server.host)), {
      code: 'REGISTRY_UNAUTHORIZED',
      message: /was not told your credentials/,
    })
    assert.deepEqual([...new Set(asked.map(({ authorization }) => authorization))], ['-'])
    const settings = join(home, 'registries.toml')
    writeFileSync(settings, `[[registry]]\nhost = "${server.host}"\ntoken-server = "${elsewhere.host}"\n`)
    await push(server, { environment: { ...authFor(server.host).environment, SLIPWAY_REGISTRIES: settings } })
    assert.equal(asked.at(-1)?.authorization, ANN)
  })

  it('allow writing where only that shows that there is nothing yet', async () => {
    await using server = await startFaultRegistry()
    const { issued, asked } = issuing(server)
    // As Docker Hub does: whoever may only read is not even told that there is no such repository.
    demanding(
      server,
      () => `Bearer realm="http://${server.host}/token"`,
      () => issued.filter((_, at) => asked[at]?.url.searchParams.get('scope')?.endsWith(':pull,push')),
    )
    assert.equal(await pull(server, authFor(server.host)), undefined)
    await push(server, authFor(server.host))
    assert.ok(await pull(server, authFor(server.host)))
    await assert.rejects(pull(server, {}), { code: 'REGISTRY_UNAUTHORIZED' })
  })

  it('come for an identity token by OAuth2, and a token that is given is sent as it is', async () => {
    await using server = await startFaultRegistry()
    const { issued, asked } = issuing(server)
    demanding(
      server,
      () => `Bearer realm="http://${server.host}/token",service="s"`,
      () => [...issued, 'Bearer given'],
    )
    await push(server, authFor(server.host, 'X-Identity refresh-me'))
    const form = new URLSearchParams(asked[0]?.form)
    assert.deepEqual(
      [form.get('grant_type'), form.get('refresh_token'), form.get('scope'), asked[0]?.authorization],
      ['refresh_token', 'refresh-me', 'repository:team/shop:pull,push', '-'],
    )
    asked.length = 0
    await push(server, authFor(server.host, 'Bearer given'))
    assert.equal(asked.length, 0)
  })

  const ODD: Record<string, string> = {
    'REFUSE: a token with a line break': JSON.stringify({ token: 'a\r\nX: y' }),
    'REFUSE: no token': '{}',
    'REFUSE: no JSON': '<html>',
  }
  for (const [name, body] of Object.entries(ODD)) {
    it(name, async () => {
      await using server = await startFaultRegistry()
      server.on(/\/token/, say(200, {}, body), 9)
      demanding(
        server,
        () => `Bearer realm="http://${server.host}/token"`,
        () => [],
      )
      await assert.rejects(push(server, {}), { name: 'Problem' })
    })
  }

  it('are not asked for at addresses that are none', async () => {
    for (const realm of ['file:///etc/passwd', 'ftp://x/', 'http://[']) {
      await using server = await startFaultRegistry()
      demanding(
        server,
        () => `Bearer realm="${realm}"`,
        () => [],
      )
      await assert.rejects(push(server, authFor(server.host)), { code: 'REGISTRY_ADDRESS' })
    }
  })
})

describe('files of credentials and helpers', () => {
  const configured = (name: string, config: unknown) => {
    const directory = join(home, name)
    mkdirSync(directory, { recursive: true })
    writeFileSync(
      join(directory, 'config.json'),
      typeof config === 'string' ? config : JSON.stringify(config),
    )
    return { DOCKER_CONFIG: directory }
  }
  const helper = (name: string, script: string) => {
    const path = join(home, 'bin', `docker-credential-${name}`)
    mkdirSync(join(home, 'bin'), { recursive: true })
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return { PATH: `${join(home, 'bin')}:/usr/bin:/bin` }
  }

  it('are read as Docker reads them', async () => {
    await using server = await startFaultRegistry()
    demanding(
      server,
      () => 'Basic realm="x"',
      () => [ANN],
    )
    const auth = ANN.replace('Basic ', '')
    for (const key of [
      server.host,
      `http://${server.host}`,
      `https://${server.host}/v2/`,
      `${server.host}/team`,
    ])
      await push(server, {
        environment: configured('plain', { auths: { [key]: { auth }, 'other.example': { auth: 'eDp5' } } }),
      })
    await assert.rejects(
      push(server, { environment: configured('plain', { auths: { [`${server.host}/teams`]: { auth } } }) }),
      { code: 'REGISTRY_UNAUTHORIZED' },
    )
    const written = JSON.stringify({ [server.host]: 'Basic eDp5' })
    await assert.rejects(
      push(server, {
        environment: {
          ...configured('plain', { auths: { [server.host]: { auth } } }),
          CNB_REGISTRY_AUTH: written,
        },
      }),
      { code: 'REGISTRY_UNAUTHORIZED' },
    )
  })

  it('that are damaged are named, and not shown', async () => {
    await using server = await startFaultRegistry()
    demanding(
      server,
      () => 'Basic realm="x"',
      () => [ANN],
    )
    for (const environment of [configured('damaged', '{"auths": hunter2'), { CNB_REGISTRY_AUTH: '{hunter2' }])
      await assert.rejects(push(server, { environment }), (error: Error & { code: string }) => {
        assert.equal(error.code, 'CREDENTIALS_UNREADABLE')
        assert.doesNotMatch(`${error.message}`, /hunter2/)
        return true
      })
  })

  it('a helper is told the host, and believed', async () => {
    await using server = await startFaultRegistry()
    demanding(
      server,
      () => 'Basic realm="x"',
      () => [ANN],
    )
    const path = helper(
      'good',
      `test "$1" = get && test "$(cat)" = ${server.host} && echo '{"ServerURL":"x","Username":"ann","Secret":"secret"}'`,
    )
    for (const config of [{ credHelpers: { [server.host]: 'good' } }, { credsStore: 'good' }])
      await push(server, { environment: { ...path, ...configured('helped', config) } })
  })

  it('a helper that is not there or fails is told of, and no other credential taken in its place', async () => {
    await using server = await startFaultRegistry()
    demanding(
      server,
      () => 'Basic realm="x"',
      () => [ANN],
    )
    const path = helper('bad', 'echo oh-dear; exit 1')
    for (const [name, said] of [
      ['bad', /oh-dear/],
      ['missing', /ENOENT/],
      ['../../bin/sh', /no name of a program/],
    ] as const) {
      const warnings: string[] = []
      const auths = { 'index.docker.io': { auth: ANN.replace('Basic ', '') } }
      const environment = {
        ...path,
        ...configured('broken', { credHelpers: { [server.host]: name }, auths }),
      }
      await assert.rejects(push(server, { environment, warn: text => warnings.push(text) }), {
        code: 'REGISTRY_UNAUTHORIZED',
      })
      assert.match(warnings.join('\n'), said)
      assert.deepEqual([...new Set(server.authorizations)], ['-'])
    }
    // Nobody asks a helper for what nobody has to open.
    await using free = await startFaultRegistry()
    const warnings: string[] = []
    await push(free, {
      environment: { ...path, ...configured('broken', { credsStore: 'bad' }) },
      warn: text => warnings.push(text),
    })
    assert.deepEqual(warnings, [])
  })
})

describe('TLS', () => {
  const secure = (requestCert = false) => {
    const { server, authority } = tls as TestAuthority
    return startFaultRegistry({
      cert: server.certificate,
      key: server.key,
      ca: authority.certificate,
      requestCert,
    })
  }

  it('is found on loopback, and its certificate has to be one of an authority that is known', async t => {
    if (!tls) return t.skip('there is no openssl on this machine')
    await using server = await secure()
    await assert.rejects(push(server, {}), { code: 'HTTP_UNREACHABLE', message: /certificate/ })
    const pem = tls.authority.certificate
    await push(server, { certificates: async () => pem })
    assert.ok(await pull(server, { certificates: async () => pem }))
    assert.equal(
      await pull(server, { insecure: [server.host] }),
      await pull(server, { certificates: async () => pem }),
    )
    await assert.rejects(pull(server, { insecure: ['127.0.0.1:1'] }), { code: 'HTTP_UNREACHABLE' })
  })

  it('takes authorities and client certificates from certs.d, for that host alone', async t => {
    if (!tls) return t.skip('there is no openssl on this machine')
    await using server = await secure(true)
    await using other = await secure(true)
    const seen = (of: FaultRegistry) => {
      const subjects: string[] = []
      of.on(
        /./,
        (request, _response, pass) => {
          subjects.push(
            String((request.socket as import('node:tls').TLSSocket).getPeerCertificate().subject?.CN ?? '-'),
          )
          return pass()
        },
        999,
      )
      return subjects
    }
    const [subjects, elsewhere] = [seen(server), seen(other)]
    const userHome = join(home, 'certified')
    const directory = join(userHome, '.docker/certs.d', server.host)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'ca.crt'), tls.authority.certificate)
    writeFileSync(join(directory, 'client.cert'), tls.client.certificate)
    writeFileSync(join(directory, 'client.key'), tls.client.key)
    await push(server, { userHome })
    assert.deepEqual([...new Set(subjects)], ['client'])
    await assert.rejects(push(other, { userHome }), { code: 'HTTP_UNREACHABLE' })
    server.on(
      /^GET .*blobs/,
      (request, response, pass) =>
        say(307, { location: `https://${other.host}${request.url}` })(request, response, pass),
      99,
    )
    const pem = tls.authority.certificate
    await pull(server, { userHome, certificates: async () => pem }).catch(() => {})
    assert.deepEqual([...new Set(elsewhere)], elsewhere.length > 0 ? ['-'] : [])
  })

  it('is not left for plain http, by a redirect or a Location', async t => {
    if (!tls) return t.skip('there is no openssl on this machine')
    await using plain = await startFaultRegistry()
    await using server = await secure()
    const pem = tls.authority.certificate
    const options = { certificates: async () => pem }
    await push(server, options)
    // The same host name without TLS is what a server behind a proxy calls itself: its own address is meant.
    server.on(
      /^POST/,
      async (_request, response, pass) => {
        const set = response.writeHead.bind(response)
        Object.assign(response, {
          writeHead: (status: number, headers: Record<string, string>) =>
            set(status, {
              ...headers,
              ...(headers.location && { location: `http://127.0.0.1:80${headers.location}` }),
            }),
        })
        await pass()
      },
      2,
    )
    await push(server, options)
    server.on(
      /^GET .*blobs/,
      (request, response, pass) =>
        say(307, { location: `http://localhost:${plain.host.split(':')[1]}${request.url}` })(
          request,
          response,
          pass,
        ),
      99,
    )
    await assert.rejects(pull(server, options), { code: 'REGISTRY_ADDRESS', message: /plain http/ })
    assert.deepEqual(plain.requests, [])
  })
})

describe('mirrors', () => {
  it('are asked first for what is read, never written to, and passed over where they fail', async () => {
    await using server = await startFaultRegistry()
    await using mirror = await startFaultRegistry()
    await push(server, {})
    const settings = join(home, 'mirrors.toml')
    writeFileSync(settings, `[[registry]]\nhost = "${server.host}"\nmirrors = ["${mirror.host}/copies/of"]\n`)
    const options = { environment: { SLIPWAY_REGISTRIES: settings, ...authFor(server.host).environment } }
    assert.ok(await pull(server, options), 'a mirror that has nothing is in the way')
    assert.ok(
      mirror.requests.every(each => each.includes('/v2/copies/of/team/shop/')),
      mirror.requests.join(),
    )
    for (const bytes of server.registry.contents.blobs.get('team/shop')?.values() ?? [])
      mirror.registry.put('copies/of/team/shop', bytes)
    for (const [name, { type, bytes }] of server.registry.contents.manifests.get('team/shop') ?? [])
      mirror.registry.putManifest('copies/of/team/shop', [name], type, bytes)
    server.requests.length = 0
    assert.ok(await pull(server, options))
    assert.deepEqual(server.requests, [])
    mirror.on(/./, say(500), 999)
    assert.ok(await pull(server, options), 'a mirror in trouble is in the way')
    mirror.requests.length = 0
    await push(server, options)
    assert.ok(!mirror.requests.some(each => /^(?:POST|PUT|PATCH|DELETE)/.test(each)))
    assert.deepEqual([...new Set(mirror.authorizations)], ['-'])
  })
})

describe('a registry behind a proxy', () => {
  /** Tunnels every name to one server of this machine, for those who know the password. */
  async function startProxy(to: string) {
    const asked: string[] = []
    const proxy = createServer((_request, response) => void response.writeHead(400).end())
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '')
      if (request.headers['proxy-authorization'] !== ANN) return socket.end('HTTP/1.1 407 No\r\n\r\n')
      const [, port] = to.split(':')
      const onward = connect(Number(port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Yes\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      for (const end of [onward, socket])
        end.on('error', () => [onward, socket].forEach(each => void each.destroy()))
      return undefined
    })
    await new Promise<void>(done => proxy.listen(0, '127.0.0.1', done))
    const { port } = proxy.address() as { port: number }
    const close = async () => {
      proxy.closeAllConnections()
      await new Promise(done => proxy.close(done))
    }
    return {
      asked,
      url: (login: string) => `http://${login}@127.0.0.1:${port}`,
      [Symbol.asyncDispose]: close,
    }
  }

  it('is reached by a tunnel, keeps its certificate, and leads nowhere on this machine', async t => {
    if (!tls) return t.skip('there is no openssl on this machine')
    const { server: own, authority } = tls
    await using server = await startFaultRegistry({ cert: own.certificate, key: own.key })
    await using proxy = await startProxy(server.host)
    const certificates = async () => authority.certificate
    const through = { certificates, environment: { HTTPS_PROXY: proxy.url('ann:secret') } }
    const named = { ...server, host: 'registry.invalid' }
    await push(named, through)
    assert.ok(await pull(named, through))
    assert.deepEqual([...new Set(proxy.asked)], ['registry.invalid:443'])
    await assert.rejects(pull(named, { ...through, certificates: async () => undefined }), {
      code: 'HTTP_UNREACHABLE',
      message: /certificate/,
    })
    await assert.rejects(pull({ ...server, host: 'other.invalid' }, through), {
      code: 'HTTP_UNREACHABLE',
      message: /altnames/,
    })
    const stranger = { certificates, environment: { HTTPS_PROXY: proxy.url('ann:wrong') } }
    await assert.rejects(pull(named, stranger), {
      code: 'HTTP_UNREACHABLE',
      message: /the proxy .* answered 407/,
    })

    for (const to of [`https://${server.host}/x`, 'https://169.254.169.254/x', 'https://[::1]/x']) {
      server.on(/^GET .*blobs/, say(307, { location: to }))
      await assert.rejects(pull(named, through), { code: 'REGISTRY_ADDRESS' })
      server.on(/^POST/, say(202, { location: to }))
      await assert.rejects(push(named, through), { code: 'REGISTRY_ADDRESS' })
      server.on(/^GET/, say(401, { 'www-authenticate': `Bearer realm="${to}"` }))
      await assert.rejects(pull(named, through), { code: 'REGISTRY_ADDRESS' })
    }
  })
})
