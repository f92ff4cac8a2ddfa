import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { openResolver, type Resolver } from './dependency.ts'

const target = { os: 'linux', arch: 'arm64', variant: '', distro: { name: 'debian', version: '13' } } as const
const answer = {
  name: 'jdk',
  version: '21.0.9+1',
  root: '/platform/dependencies/trees/abc',
  digest: 'sha256:abc',
  purl: 'pkg:x/jdk@21',
  cpes: [],
  licenses: [],
  components: [{ type: 'library', name: 'jdk', version: '21', purl: 'pkg:x/jdk@21' }],
  environment: { JAVA_HOME: '$ROOT' },
  hints: {},
}

function resolverIn(directory: string): Resolver {
  return openResolver({
    platform: join(directory, 'platform'),
    buildpack: join(directory, 'buildpack'),
    home: async () => join(directory, 'home'),
    target,
    environment: { A: 'b' },
    say: () => {},
  })
}

async function served(
  status: number,
  body: unknown,
  use: (resolver: Resolver, asked: unknown[]) => Promise<void>,
) {
  await using directory = await temporaryDirectory(tmpdir())
  await mkdir(join(directory.path, 'platform', 'dependencies'), { recursive: true })
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      asked.push([request.method, request.url, JSON.parse(text)])
      response.writeHead(status, { connection: 'close' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>(done => server.listen(join(directory.path, 'platform/dependencies/socket'), done))
  try {
    await use(resolverIn(directory.path), asked)
  } finally {
    server.closeAllConnections()
    await new Promise(done => server.close(done))
  }
}

describe('dependencies', () => {
  it('are asked of the platform, with the target and its base', () =>
    served(200, answer, async (resolve, asked) => {
      const found = await resolve({ name: 'jdk', version: '21' })
      assert.equal(found.root, answer.root)
      assert.deepEqual(asked, [
        [
          'POST',
          '/resolve',
          {
            name: 'jdk',
            version: '21',
            arch: 'arm64',
            base: { distro: 'debian', version: '13' },
            options: {},
          },
        ],
      ])
    }))

  it('hand a refusal on in the words of the platform', () =>
    served(422, { code: 'RUNTIME_UNKNOWN', what: 'Cannot', why: 'because', fix: 'Do' }, resolve =>
      assert.rejects(resolve({ name: 'x' }), {
        code: 'RUNTIME_UNKNOWN',
        what: 'Cannot',
        why: 'because',
        fix: 'Do',
      }),
    ))

  it('refuse an answer that lacks something', () =>
    served(200, { ...answer, root: undefined }, resolve =>
      assert.rejects(resolve({ name: 'jdk' }), { code: 'DOCUMENT_INVALID', why: /root/ }),
    ))

  it('come from the resolver that the buildpack carries where no platform answers', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    await mkdir(join(directory.path, 'buildpack'))
    await writeFile(
      join(directory.path, 'buildpack', 'resolver.mjs'),
      `export async function resolve(wanted, { home, environment }) {
         if (wanted.name !== 'jdk') throw { code: 'X', what: 'Cannot', why: 'no', fix: 'Do', message: '' }
         return { ...${JSON.stringify(answer)}, version: wanted.arch + environment.A, root: home }
       }`,
    )
    const resolve = resolverIn(directory.path)
    const found = await resolve({ name: 'jdk' })
    assert.deepEqual([found.version, found.root], ['arm64b', join(directory.path, 'home')])
    await assert.rejects(resolve({ name: 'x' }), { code: 'X', why: 'no' })
  })

  it('say what to do where nobody answers', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    await assert.rejects(resolverIn(directory.path)({ name: 'jdk' }), {
      code: 'DEPENDENCY_NO_SOURCE',
      what: /jdk/,
    })
  })
})
