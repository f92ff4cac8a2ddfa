import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Runtime, RuntimeRequest } from '#runtimes'
import { digestOf, Problem, recording, temporaryDirectory } from '#std'
import { serveDependencies } from './dependencies.ts'

const digest = digestOf('tree')
const jre = {
  name: 'jre',
  version: '21.0.9',
  digest,
  path: '/secret/place',
  purl: 'pkg:x/y',
  components: [],
} as unknown as Runtime
const wanted = { name: 'jre', version: '21', arch: 'amd64', base: { distro: 'debian', version: '13' } }

function ask(socketPath: string, body: string, path = '/resolve', method = 'POST') {
  return new Promise<{ status: number; body: Record<string, unknown> }>((done, fail) => {
    const call = request({ socketPath, path, method }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => done({ status: response.statusCode ?? 0, body: JSON.parse(text) }))
    })
    call.on('error', fail)
    call.end(body)
  })
}

async function served(
  resolve: (request: RuntimeRequest) => Promise<Runtime>,
  use: (socket: string) => Promise<void>,
) {
  await using directory = await temporaryDirectory(tmpdir())
  const report = recording()
  await using server = await serveDependencies({ directory: join(directory.path, 'd'), resolve, report })
  await use(server.socket)
  return report.lines
}

describe('dependency server', () => {
  it('answers with the place inside the sandbox, and never with the one outside', async () => {
    const asked: RuntimeRequest[] = []
    const resolve = async (one: RuntimeRequest) => {
      asked.push(one)
      return jre
    }
    await served(resolve, async socket => {
      const { status, body } = await ask(socket, JSON.stringify(wanted))
      assert.equal(status, 200)
      assert.equal(body.root, `/platform/dependencies/trees/${digest.slice('sha256:'.length)}`)
      assert.equal(body.version, '21.0.9')
      assert.ok(!JSON.stringify(body).includes('/secret'))
      assert.equal((await stat(socket)).mode & 0o777, 0o600)
    })
    assert.deepEqual(asked, [{ ...wanted, options: {} }])
  })

  it('hands a problem on in words, and hides what is a mistake of its own', async () => {
    const problem = new Problem('X', { what: 'Cannot', why: 'see https://ann:pw@host/', fix: 'Do' })
    const resolve = async ({ name }: RuntimeRequest) =>
      Promise.reject(name === 'jre' ? problem : new Error('/home/ann'))
    const lines = await served(resolve, async socket => {
      const one = await ask(socket, JSON.stringify(wanted))
      assert.deepEqual([one.status, one.body.code, one.body.why], [422, 'X', 'see https://***@host/'])
      const two = await ask(socket, JSON.stringify({ ...wanted, name: 'jdk' }))
      assert.equal(two.status, 500)
      assert.ok(!JSON.stringify(two.body).includes('/home/ann'))
    })
    assert.ok(lines.some(line => line.includes('/home/ann')))
  })

  const bad: [string, string, string?, string?][] = [
    ['no JSON', 'hello'],
    ['another document', '[]'],
    ['an unknown key', JSON.stringify({ ...wanted, path: '/etc' })],
    ['a machine that is not known', JSON.stringify({ ...wanted, arch: 'vax' })],
    ['an overlong name', JSON.stringify({ ...wanted, name: 'x'.repeat(201) })],
    ['an overlong body', JSON.stringify({ ...wanted, options: { a: 'x'.repeat(20_000) } })],
    ['another path', JSON.stringify(wanted), '/etc/passwd'],
    ['another method', '', '/resolve', 'GET'],
  ]
  for (const [what, body, path, method] of bad) {
    it(`refuses ${what} without resolving anything`, async () => {
      await served(
        () => assert.fail('resolved'),
        async socket => assert.equal((await ask(socket, body, path, method)).status, 400),
      )
    })
  }

  it('stops answering a build that never stops asking', async () => {
    await served(
      async () => jre,
      async socket => {
        for (let count = 0; count < 500; count++)
          assert.equal((await ask(socket, JSON.stringify(wanted))).status, 200)
        assert.equal((await ask(socket, JSON.stringify(wanted))).body.code, 'DEPENDENCY_LIMIT')
      },
    )
  })

  it('works in a directory whose path no socket address has room for, and leaves no socket behind', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const deep = join(directory.path, 'd'.repeat(100), 'e'.repeat(100))
    const server = await serveDependencies({ directory: deep, resolve: async () => jre, report: recording() })
    assert.ok((await stat(server.socket)).isSocket())
    await server[Symbol.asyncDispose]()
    await assert.rejects(stat(server.socket), { code: 'ENOENT' })
  })
})
