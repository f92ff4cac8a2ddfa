import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  append,
  emptyImage,
  type Image,
  listRepositories,
  openRegistries,
  parseReference,
  type RegistriesOptions,
} from '../../src/oci/mod.ts'
import { layerOf, noise } from '../../src/oci/oci.testing.ts'
import { digestOf, readAll } from '../../src/std/mod.ts'
import {
  cutAnswerAfter,
  cutRequestAfter,
  type FaultRegistry,
  hangUp,
  say,
  startFaultRegistry,
} from '../support/fault-registry.ts'

/**
 * Our registry client against a registry that does wrong on purpose. RETRY: it gets through by itself. REFUSE: a `Problem` with the code that is named, no tag moved. Each case has its undisturbed
 * twin in the first test, and every wait is a millisecond.
 */

const PLATFORM = { os: 'linux', architecture: 'amd64' }
const NOWHERE = '/nonexistent/home'
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'

async function against(
  use: (
    server: FaultRegistry,
    open: (more?: Partial<RegistriesOptions>) => ReturnType<typeof openRegistries>,
  ) => Promise<void>,
) {
  await using server = await startFaultRegistry()
  const opened: ReturnType<typeof openRegistries>[] = []
  try {
    await use(server, more => {
      const registries = openRegistries({
        environment: {},
        userHome: NOWHERE,
        platform: PLATFORM,
        patience: 1,
        ...more,
      })
      opened.push(registries)
      return registries
    })
  } finally {
    for (const registries of opened) await registries[Symbol.asyncDispose]()
  }
}

const repository = (server: FaultRegistry, name = 'team/shop') => parseReference(`${server.host}/${name}`)
const LARGE = noise(3_000_000)
const large = () => layerOf({ large: LARGE })

async function push(
  server: FaultRegistry,
  registries: ReturnType<typeof openRegistries>,
  tag = 'shop:1',
): Promise<Image> {
  const store = registries.store(repository(server))
  const layer = await store.addLayer(large)
  const image = append(emptyImage('linux', 'amd64'), [{ layer, history: {} }])
  return await store.write(image, [`${server.host}/team/${tag}`])
}

async function collected(source: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = []
  for await (const each of source) found.push(each)
  return found
}

const tagsOf = ({ registry }: FaultRegistry) =>
  [...(registry.contents.manifests.get('team/shop')?.keys() ?? [])].filter(
    name => !name.startsWith('sha256:'),
  )

async function isWhole(server: FaultRegistry, registries: ReturnType<typeof openRegistries>): Promise<void> {
  const image = await registries.store(repository(server)).image(`${server.host}/team/shop:1`)
  const [layer] = image?.layers ?? []
  assert.ok(layer)
  assert.equal(digestOf(await readAll(await layer.uncompressed())), layer.diffId)
}

describe('a push', () => {
  it('makes the requests it has to, and no more', () =>
    against(async (server, open) => {
      const registries = open()
      await push(server, registries)
      await isWhole(server, open())
      const said = server.requests.map(each => each.replace(/[0-9a-f]{16,64}/g, 'HEX').replaceAll('%3A', ':'))
      assert.deepEqual(said.slice(0, 7), [
        'POST /v2/team/shop/blobs/uploads/',
        'PATCH /v2/team/shop/blobs/uploads/HEX',
        'PUT /v2/team/shop/blobs/uploads/HEX?digest=sha256:HEX',
        'HEAD /v2/team/shop/manifests/1',
        'POST /v2/team/shop/blobs/uploads/',
        'PUT /v2/team/shop/blobs/uploads/HEX?digest=sha256:HEX',
        'PUT /v2/team/shop/manifests/1',
      ])
      assert.equal(said.length, 10)
    }))

  it('sends a small layer in one request, and once more where that is cut', async () => {
    for (const cut of [false, true])
      await against(async (server, open) => {
        const store = open().store(repository(server))
        if (cut) server.on(/^PUT/, cutRequestAfter(10))
        const layer = await store.addLayer(() => layerOf({ small: noise(5000) }))
        assert.equal(digestOf(await readAll(await layer.uncompressed())), layer.diffId)
        const said = server.requests.slice(0, cut ? 4 : 2).map(each => each.split(' ')[0])
        assert.deepEqual(said, cut ? ['POST', 'PUT', 'POST', 'PUT'] : ['POST', 'PUT'])
      })
  })

  const RETRIED: Record<string, (server: FaultRegistry) => void> = {
    'RETRY: busy with Retry-After': server => server.on(/^POST/, say(429, { 'retry-after': '0' }), 2),
    'RETRY: 503 at the start': server => server.on(/^POST/, say(503)),
    'RETRY: 500 in the middle of an upload': server => server.on(/^PATCH/, say(500)),
    'RETRY: 502 for the manifest': server => server.on(/manifests\/1$/, say(502)),
    'RETRY: hangs up on the start': server => server.on(/^POST/, hangUp, 2),
    'RETRY: hangs up on the end': server => server.on(/^PUT .*uploads/, hangUp, 2),
    'RETRY: hangs up on the manifest': server => server.on(/^PUT .*manifests/, hangUp, 2),
    'RETRY: an upload is cut, and goes on where it was cut': server =>
      server.on(/^PATCH/, cutRequestAfter(1_000_000)),
    'RETRY: cut at the first bytes': server => server.on(/^PATCH/, cutRequestAfter(1)),
    'RETRY: cut again while it goes on': server => {
      server.on(/^PATCH/, cutRequestAfter(500_000))
      server.on(/^PATCH/, cutRequestAfter(500_000))
    },
    'RETRY: the session is lost': server => {
      server.on(/^PATCH/, cutRequestAfter(1_000_000))
      server.on(/^GET .*uploads/, say(404))
    },
    'RETRY: so much at once is not taken': server => server.on(/^PATCH/, say(413)),
    'RETRY: nothing without a range is taken': server =>
      server.on(
        /^PATCH/,
        (request, response, pass) =>
          request.headers['content-range'] ? pass() : say(411)(request, response, pass),
        9,
      ),
    'RETRY: it says less of a range than came': server => {
      server.on(/^PATCH/, cutRequestAfter(1_000_000))
      server.on(/^GET .*uploads/, (_request, response) => response.writeHead(204, { range: '0-0' }).end())
    },
  }
  for (const [name, fault] of Object.entries(RETRIED)) {
    it(name, () =>
      against(async (server, open) => {
        fault(server)
        await push(server, open())
        await isWhole(server, open())
        assert.deepEqual(tagsOf(server), ['1'])
      }),
    )
  }

  it('goes by way of the upload that was begun to see if one may, unless that is forgotten', async () => {
    for (const forgotten of [false, true])
      await against(async (server, open) => {
        const store = open().store(repository(server))
        await store.checkWritable()
        if (forgotten) server.on(/^PATCH/, say(404))
        const layer = await store.addLayer(large)
        assert.ok(await store.has(layer))
        const begun = server.requests.filter(each => /^POST .*uploads\/$/.test(each))
        assert.equal(begun.length, forgotten ? 2 : 1)
        await store.addLayer(() => layerOf({ other: noise(1000, 3) }))
        assert.equal(server.requests.filter(each => /^POST .*uploads\/$/.test(each)).length, begun.length + 1)
      })
  })

  it('sends what was cut off, and not the whole again', () =>
    against(async (server, open) => {
      server.on(/^PATCH/, cutRequestAfter(1_000_000))
      let again = 0
      server.on(/^PATCH/, async (request, _response, pass) => {
        request.on('data', chunk => {
          again += chunk.length
        })
        await pass()
      })
      await push(server, open())
      await isWhole(server, open())
      assert.ok(again > 0 && again < 2_500_000, `${again} bytes were sent after the cut`)
    }))

  const REFUSED: Record<string, { fault: (server: FaultRegistry) => void; code: string }> = {
    'REFUSE: never anything but 503': {
      fault: server => server.on(/^POST/, say(503), 99),
      code: 'REGISTRY_REFUSED',
    },
    'REFUSE: hangs up for ever': {
      fault: server => server.on(/^PATCH/, hangUp, 999),
      code: 'REGISTRY_INTERRUPTED',
    },
    'REFUSE: no Location': { fault: server => server.on(/^POST/, say(202)), code: 'REGISTRY_ANSWER_INVALID' },
    'REFUSE: a Location that is no URL': {
      fault: server => server.on(/^POST/, say(202, { location: 'http://[' })),
      code: 'REGISTRY_ADDRESS',
    },
    'REFUSE: a Location of a file': {
      fault: server => server.on(/^POST/, say(202, { location: 'file:///etc/passwd' })),
      code: 'REGISTRY_ADDRESS',
    },
    'REFUSE: 403 for the upload': { fault: server => server.on(/^POST/, say(403)), code: 'REGISTRY_DENIED' },
    'REFUSE: 401 without a demand': {
      fault: server => server.on(/^POST/, say(401)),
      code: 'REGISTRY_UNAUTHORIZED',
    },
    'REFUSE: the manifest is not taken': {
      fault: server =>
        server.on(
          /^PUT .*manifests/,
          say(400, {}, '{"errors":[{"code":"MANIFEST_INVALID","message":"no\\u001b[2J"}]}'),
        ),
      code: 'REGISTRY_REFUSED',
    },
    'REFUSE: another digest is said for what was written': {
      fault: server => server.on(/^PUT .*manifests/, say(201, { 'docker-content-digest': digestOf('else') })),
      code: 'REGISTRY_CONTENT_DIFFERS',
    },
  }
  for (const [name, { fault, code }] of Object.entries(REFUSED)) {
    it(name, () =>
      against(async (server, open) => {
        fault(server)
        await assert.rejects(push(server, open()), (error: Error & { code?: string }) => {
          assert.equal(error.code, code, error.stack)
          assert.doesNotMatch(error.message, /\u001b/)
          return true
        })
        assert.deepEqual(tagsOf(server), [])
      }),
    )
  }

  it('ends with the failure of the source, and not with one of the network', () =>
    against(async (server, open) => {
      const store = open().store(repository(server))
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield LARGE
        throw new RangeError('the disk broke')
      }
      await assert.rejects(store.addLayer(broken), RangeError)
      await assert.rejects(store.addLayer(large, digestOf('another')), { code: 'LAYER_DIFFERS' })
      assert.equal(server.registry.contents.blobs.get('team/shop')?.size ?? 0, 0)
    }))

  it('says which tags are there where one of several fails, and moves none before all is there', () =>
    against(async (server, open) => {
      const store = open().store(repository(server))
      const image = append(emptyImage('linux', 'amd64'), [
        { layer: await store.addLayer(large), history: {} },
      ])
      const names = ['1', '2', '3'].map(tag => `${server.host}/team/shop:${tag}`)
      server.on(/^PUT .*manifests\/sha256/, say(400))
      await assert.rejects(store.write(image, names), { code: 'REGISTRY_REFUSED' })
      assert.deepEqual(tagsOf(server), [])
      server.on(/^PUT .*manifests\/2$/, say(403))
      await assert.rejects(store.write(image, names), {
        code: 'REGISTRY_TAGS_PARTIAL',
        message: /written before it: \S+:1$/,
      })
      assert.deepEqual(tagsOf(server), ['1'])
      await store.write(image, names)
      assert.deepEqual(tagsOf(server).toSorted(), ['1', '2', '3'])
    }))

  it('asks once for what is there already, and sends nothing', () =>
    against(async (server, open) => {
      const image = await push(server, open())
      server.requests.length = 0
      await open()
        .store(repository(server))
        .write(image, [`${server.host}/team/shop:1`])
      assert.deepEqual(server.requests, ['HEAD /v2/team/shop/manifests/1'])
    }))

  it('does not ask what a tag stands for that it has just read', () =>
    against(async (server, open) => {
      await push(server, open())
      const store = open().store(repository(server))
      const image = await store.image(`${server.host}/team/shop:1`)
      assert.ok(image)
      server.requests.length = 0
      const { config } = image
      await store.write({ ...image, config: { ...config, author: 'another' } }, [
        `${server.host}/team/shop:1`,
      ])
      const said = server.requests.map(each => each.replace(/[0-9a-f]{16,64}/g, 'HEX').replaceAll('%3A', ':'))
      assert.deepEqual(said, [
        'POST /v2/team/shop/blobs/uploads/',
        'PUT /v2/team/shop/blobs/uploads/HEX?digest=sha256:HEX',
        'PUT /v2/team/shop/manifests/1',
      ])
    }))

  it('sends a layer again that the registry has lost since it was seen there', () =>
    against(async (server, open) => {
      const registries = open()
      const store = registries.store(repository(server))
      const layer = await store.addLayer(large)
      const image = append(emptyImage('linux', 'amd64'), [{ layer, history: {} }])
      const kept = server.registry.contents.blobs.get('team/shop')?.get(layer.blob.digest) as Buffer
      server.registry.contents.blobs.get('team/shop')?.delete(layer.blob.digest)
      const { origin: _, ...local } = { ...layer, compressed: async () => Readable.from([kept]) }
      await store.write({ ...image, layers: [local] }, [`${server.host}/team/shop:1`])
      await isWhole(server, open())
    }))

  it('mounts layers of another repository, and sends them where they cannot be mounted', () =>
    against(async (server, open) => {
      const image = await push(server, open())
      const target = `${server.host}/other/app:1`
      const registries = open()
      const app = await registries.store(repository(server)).image(`${server.host}/team/shop:1`)
      server.requests.length = 0
      await registries.store(parseReference(target)).write(app as Image, [target])
      assert.equal(server.requests.filter(each => /mount=/.test(each)).length, 1)
      assert.equal(server.requests.filter(each => /^(?:PATCH|GET)/.test(each)).length, 0)
      const third = `${server.host}/third/app:1`
      server.on(/mount=/, say(404))
      await registries.store(parseReference(third)).write({ ...image, layers: app?.layers ?? [] }, [third])
      assert.equal(server.registry.contents.blobs.get('third/app')?.size, 2)
    }))
})

describe('a pull', () => {
  const RETRIED: Record<string, (server: FaultRegistry) => void> = {
    'RETRY: a blob is cut': server => server.on(/^GET .*blobs\/sha256/, cutAnswerAfter(100_000)),
    'RETRY: a blob is cut again and again, and gets further each time': server =>
      server.on(/^GET .*blobs\/sha256/, cutAnswerAfter(300_000), 8),
    'RETRY: the server does not know of ranges': server => {
      server.on(/^GET .*blobs\/sha256/, cutAnswerAfter(100_000))
      server.on(/^GET .*blobs\/sha256/, (request, _response, pass) => {
        delete request.headers.range
        return pass()
      })
    },
    'RETRY: busy': server => server.on(/^GET/, say(503), 2),
    'RETRY: the manifest is cut': server => server.on(/^GET .*manifests/, cutAnswerAfter(20)),
    'RETRY: hangs up': server => server.on(/^GET/, hangUp, 2),
    'RETRY: leads on to another address of its own': server =>
      server.on(
        /^GET .*blobs\/sha256/,
        (request, response, pass) =>
          request.url?.includes('?')
            ? pass()
            : say(307, { location: `${request.url}?signed=1` })(request, response, pass),
        9,
      ),
  }
  for (const [name, fault] of Object.entries(RETRIED)) {
    it(name, () =>
      against(async (server, open) => {
        await push(server, open())
        fault(server)
        await isWhole(server, open())
      }),
    )
  }

  const blobOf = (server: FaultRegistry) =>
    [...(server.registry.contents.blobs.get('team/shop') ?? [])].toSorted(
      ([, a], [, b]) => b.length - a.length,
    )[0] as [string, Buffer]
  const REFUSED: Record<string, { fault: (server: FaultRegistry) => void; code: string }> = {
    'REFUSE: other bytes than those of the digest': {
      fault: server => {
        const [digest, bytes] = blobOf(server)
        const altered = Buffer.from(bytes)
        altered[altered.length - 20] = (altered.at(-20) ?? 0) ^ 1
        server.registry.contents.blobs.get('team/shop')?.set(digest, altered)
      },
      code: 'BLOB_DAMAGED',
    },
    'REFUSE: more bytes than those of the descriptor': {
      fault: server => {
        const [digest, bytes] = blobOf(server)
        server.registry.contents.blobs
          .get('team/shop')
          ?.set(digest, Buffer.concat([bytes, Buffer.alloc(1 << 20)]))
      },
      code: 'BLOB_DAMAGED',
    },
    'REFUSE: fewer bytes, in full': {
      fault: server => {
        const [digest, bytes] = blobOf(server)
        server.registry.contents.blobs.get('team/shop')?.set(digest, bytes.subarray(0, 1000))
      },
      code: 'REGISTRY_INTERRUPTED',
    },
    'REFUSE: another range than was asked for': {
      fault: server => {
        server.on(/^GET .*blobs\/sha256/, cutAnswerAfter(100_000))
        server.on(/^GET .*blobs\/sha256/, say(206, { 'content-range': 'bytes 0-99/1000' }))
      },
      code: 'REGISTRY_ANSWER_INVALID',
    },
    'REFUSE: no such blob': {
      fault: server => server.registry.contents.blobs.get('team/shop')?.delete(blobOf(server)[0]),
      code: 'REGISTRY_REFUSED',
    },
    'REFUSE: endless redirects': {
      fault: server =>
        server.on(
          /^GET .*blobs/,
          (request, response, pass) => say(302, { location: `${request.url}x` })(request, response, pass),
          99,
        ),
      code: 'REGISTRY_ADDRESS',
    },
    'REFUSE: a redirect to a file': {
      fault: server => server.on(/^GET .*blobs/, say(302, { location: 'file:///etc/passwd' })),
      code: 'REGISTRY_ADDRESS',
    },
    'REFUSE: a manifest that is another one than the header says': {
      fault: server =>
        server.on(
          /^GET .*manifests/,
          say(
            200,
            { 'content-type': OCI_MANIFEST, 'docker-content-digest': digestOf('x') },
            '{"schemaVersion":2,"config":{},"layers":[]}',
          ),
        ),
      code: 'REGISTRY_CONTENT_DIFFERS',
    },
    'REFUSE: a manifest and an index at once': {
      fault: server =>
        server.on(
          /^GET .*manifests/,
          say(
            200,
            { 'content-type': OCI_MANIFEST },
            '{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}',
          ),
        ),
      code: 'MANIFEST_AMBIGUOUS',
    },
    'REFUSE: an index by its header and a manifest by its own word': {
      fault: server =>
        server.on(
          /^GET .*manifests/,
          say(
            200,
            { 'content-type': OCI_INDEX },
            `{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}","config":{},"layers":[]}`,
          ),
        ),
      code: 'REGISTRY_ANSWER_INVALID',
    },
    'REFUSE: a manifest of Docker of 2015': {
      fault: server =>
        server.on(
          /^GET .*manifests/,
          say(
            200,
            { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
            '{"schemaVersion":1}',
          ),
        ),
      code: 'MANIFEST_UNSUPPORTED',
    },
    'REFUSE: a login page': {
      fault: server => server.on(/^GET .*manifests/, say(200, { 'content-type': 'text/html' }, '<html>')),
      code: 'JSON_MALFORMED',
    },
    'REFUSE: a manifest that says it is huge': {
      fault: server =>
        server.on(/^GET .*manifests/, (_request, response) => {
          response.writeHead(200, { 'content-length': String(1 << 30), 'content-type': OCI_MANIFEST })
          response.write('{')
        }),
      code: 'MANIFEST_TOO_LARGE',
    },
    'REFUSE: a manifest that does not end': {
      fault: server =>
        server.on(/^GET .*manifests/, async (_request, response) => {
          response.writeHead(200, { 'content-type': OCI_MANIFEST })
          const spaces = Buffer.alloc(1 << 20, ' ')
          while (!response.destroyed) {
            response.write(spaces)
            await sleep(0)
          }
        }),
      code: 'MANIFEST_TOO_LARGE',
    },
    'REFUSE: a manifest with a million levels': {
      fault: server =>
        server.on(/^GET .*manifests/, say(200, { 'content-type': OCI_MANIFEST }, '['.repeat(1_000_000))),
      code: 'JSON_MALFORMED',
    },
  }
  for (const [name, { fault, code }] of Object.entries(REFUSED)) {
    it(name, () =>
      against(async (server, open) => {
        await push(server, open())
        fault(server)
        await assert.rejects(isWhole(server, open()), (error: Error & { code?: string }) => {
          assert.equal(error.code, code, error.stack)
          return true
        })
      }),
    )
  }

  it('finds nothing where there is nothing', () =>
    against(async (server, open) => {
      const store = open().store(repository(server))
      assert.equal(await store.image(`${server.host}/team/shop:1`), undefined)
      assert.equal(await store.resolve(`${server.host}/team/shop@${digestOf('x')}`), undefined)
    }))

  it('takes the image of an index that is for the platform, and names those that there are', () =>
    against(async (server, open) => {
      const image = await push(server, open())
      const manifest = server.registry.contents.manifests.get('team/shop')?.get('1')?.bytes as Buffer
      const digest = digestOf(manifest)
      const of = (architecture: string, variant?: string) => ({
        mediaType: OCI_MANIFEST,
        digest: architecture === 'amd64' ? digest : digestOf(architecture),
        size: manifest.length,
        platform: { os: 'linux', architecture, ...(variant && { variant }) },
      })
      const put = (tag: string, ...manifests: unknown[]) =>
        server.registry.putManifest(
          'team/shop',
          [tag],
          OCI_INDEX,
          Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })),
        )
      put('many', of('arm64', 'v8'), of('unknown'), of('amd64'))
      const store = open().store(repository(server))
      assert.equal((await store.image(`${server.host}/team/shop:many`))?.digest, digest)
      assert.deepEqual((await store.image(`${server.host}/team/shop:many`))?.config, image.config)
      put('other', of('arm64', 'v8'))
      await assert.rejects(store.image(`${server.host}/team/shop:other`), {
        code: 'PLATFORM_MISSING',
        message: /linux\/arm64\/v8/,
      })
    }))
})

describe('lists', () => {
  it('come in pages, and end where pages lead in a circle or elsewhere', () =>
    against(async (server, open) => {
      server.registry.pageSize = 3
      const tags = Array.from({ length: 8 }, (_, at) => `v${at}`)
      server.registry.putManifest('team/shop', tags, OCI_MANIFEST, Buffer.from('{}'))
      const registries = open()
      const store = registries.store(repository(server))
      assert.deepEqual(await collected(store.tags()), tags)
      assert.deepEqual(await collected(listRepositories(registries.host(server.host))), ['team/shop'])
      assert.deepEqual(await collected(registries.store(repository(server, 'no/such')).tags()), [])
      server.on(
        /tags\/list/,
        say(200, { link: '</v2/team/shop/tags/list?last=a>; rel="next"' }, '{"tags":["a"]}'),
        9,
      )
      await assert.rejects(collected(store.tags()), {
        code: 'REGISTRY_ANSWER_INVALID',
        message: /circle/,
      })
    }))

  it('of referrers are those of the registry, or of the tag where it knows of none', async () => {
    for (const knows of [true, false])
      await against(async (server, open) => {
        server.registry.knowsReferrers = knows
        const image = (await push(server, open())) as Image & { digest: never; manifestSize: number }
        const store = open().store(repository(server))
        const subject = { mediaType: OCI_MANIFEST, digest: image.digest, size: image.manifestSize }
        assert.deepEqual(await store.referrers(image.digest), [])
        for (const kind of ['application/spdx+json', 'application/x-signature'])
          await store.attach({
            subject,
            artifactType: kind,
            blobs: [{ mediaType: kind, bytes: Buffer.from(kind) }],
          })
        assert.equal((await store.referrers(image.digest)).length, 2)
        const [found, ...more] = await store.referrers(image.digest, 'application/spdx+json')
        assert.equal(found?.artifactType, 'application/spdx+json')
        assert.equal(more.length, 0)
        assert.equal(
          tagsOf(server).some(tag => tag.startsWith('sha256-')),
          !knows,
        )
      })
  })

  it('lose what is deleted, and no image for the sake of a tag', () =>
    against(async (server, open) => {
      const image = (await push(server, open())) as Image & { digest: string }
      const store = open().store(repository(server))
      server.on(/^DELETE/, say(405))
      await assert.rejects(store.remove(`${server.host}/team/shop:1`), {
        code: 'REGISTRY_CANNOT_DELETE',
        message: /all of its tags/,
      })
      assert.equal(await store.remove(`${server.host}/team/shop:1`), true)
      assert.equal(await store.remove(`${server.host}/team/shop:1`), false)
      assert.equal(await store.remove(`${server.host}/team/shop@${image.digest}`), true)
      assert.equal(server.registry.contents.manifests.get('team/shop')?.size, 0)
    }))
})
