import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { type Http, type HttpOptions, letGo, openHttp } from './http.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serving(
  handler: Handler,
  use: (url: string, http: Http) => Promise<void>,
  options: HttpOptions = {},
) {
  const server = createServer(handler)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  try {
    await using http = openHttp({ patience: 1, ...options })
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, http)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const read = async (http: Http, url: string, authorization?: string) => {
  const { status, body } = await http.get(url, { authorization })
  return [status, Buffer.concat(await body.toArray()).toString()]
}

describe('http', () => {
  it('returns status, headers and body', () =>
    serving(
      (request, response) => response.writeHead(404, { 'X-Said': 'no' }).end(request.headers.accept),
      async (url, http) => {
        const answer = await http.get(`${url}/a`, { accept: 'text/x' })
        assert.deepEqual([answer.status, answer.headers['x-said']], [404, 'no'])
        assert.equal((await answer.body.toArray()).join(''), 'text/x')
      },
    ))

  it('follows redirects, and hands credentials to the first origin alone', async () => {
    const seen: (string | undefined)[] = []
    await serving(
      (request, response) => {
        seen.push(request.headers.authorization)
        response.end('there')
      },
      (elsewhere, _) =>
        serving(
          (request, response) => {
            seen.push(request.headers.authorization)
            response.writeHead(302, { location: request.url === '/a' ? '/b' : `${elsewhere}/c` }).end()
          },
          async (url, http) => assert.deepEqual(await read(http, `${url}/a`, 'Bearer x'), [200, 'there']),
        ),
    )
    assert.deepEqual(seen, ['Bearer x', 'Bearer x', undefined])
  })

  it('refuses endless redirects and other kinds of addresses', () =>
    serving(
      (request, response) =>
        response.writeHead(302, { location: request.url === '/f' ? 'file:///etc/passwd' : '/again' }).end(),
      async (url, http) => {
        await assert.rejects(http.get(`${url}/a`), { code: 'HTTP_REDIRECT', message: /more than 5/ })
        await assert.rejects(http.get(`${url}/f`), { code: 'HTTP_REDIRECT', message: /file:/ })
        await assert.rejects(http.get('file:///etc/passwd'), { code: 'HTTP_URL' })
        await assert.rejects(http.get('no url'), { code: 'HTTP_URL' })
      },
    ))

  it('tries again while a server is busy or hangs up, and gives up in the end', async () => {
    let calls = 0
    await serving(
      (request, response) => {
        calls++
        if (request.url === '/never') response.writeHead(503).end()
        else if (calls === 1) request.socket.destroy()
        else if (calls === 2) response.writeHead(429, { 'retry-after': '0' }).end()
        else response.end('well')
      },
      async (url, http) => {
        assert.deepEqual(await read(http, `${url}/a`), [200, 'well'])
        assert.equal(calls, 3)
        assert.deepEqual(await read(http, `${url}/never`), [503, ''])
        assert.equal(calls, 7)
      },
    )
  })

  it('says who cannot be reached, without what opens the door', async () => {
    await using http = openHttp({ retries: 0 })
    await assert.rejects(http.get('http://ann:pw@127.0.0.1:1/x'), (error: Error & { fix: string }) => {
      assert.match(error.message, /Cannot reach 127\.0\.0\.1:1: ECONNREFUSED/)
      assert.doesNotMatch(`${error.message} ${error.fix}`, /pw/)
      return true
    })
  })

  it('does not take a connection that breaks off for a body that cannot be read', () =>
    serving(
      request => void request.once('data', () => request.socket.resetAndDestroy()),
      async (url, http) => {
        // It has more to give than anybody takes, so the stream stops it in the middle of a `yield`.
        const body = async function* () {
          for (let count = 0; count < 1000; count++) yield Buffer.alloc(1 << 16)
        }
        for (let count = 0; count < 20; count++)
          await assert.rejects(http.request(`${url}/x`, { method: 'PATCH', body, retries: 0 }), {
            code: 'HTTP_UNREACHABLE',
          })
      },
    ))

  it('fails a body that ends early', () =>
    serving(
      (request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('half')
        setTimeout(() => request.socket.destroy(), 5)
      },
      async (url, http) => {
        await assert.rejects(read(http, url))
      },
    ))

  it('asks the proxy that the environment names, and not for hosts that it leaves out', async () => {
    const asked: string[] = []
    const proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} for ${request.headers.host}`)
      response.end('by the proxy')
    })
    proxy.on('connect', (request, socket) => {
      asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`)
      socket.end('HTTP/1.1 403 No\r\n\r\n')
    })
    await new Promise<void>(done => proxy.listen(0, '127.0.0.1', done))
    const at = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const environment = {
      http_proxy: `http://${at}`,
      https_proxy: `http://ann:pw@${at}`,
      NO_PROXY: 'direct.invalid',
    }
    await using http = openHttp({ environment, retries: 0 })
    assert.deepEqual(await read(http, 'http://far.invalid/x?y=z'), [200, 'by the proxy'])
    await assert.rejects(http.get('https://far.invalid/x'), {
      code: 'HTTP_UNREACHABLE',
      message: /proxy .* answered 403/,
    })
    await assert.rejects(http.get('http://direct.invalid/'), { code: 'HTTP_UNREACHABLE' })
    assert.deepEqual(asked, [
      'GET http://far.invalid/x?y=z for far.invalid',
      `CONNECT far.invalid:443 Basic ${Buffer.from('ann:pw').toString('base64')}`,
    ])
    proxy.closeAllConnections()
    proxy.close()
  })

  it('sends bodies, and opens them anew for each attempt', async () => {
    let calls = 0
    await serving(
      (request, response) => {
        calls++
        const parts: Buffer[] = []
        request.on('data', part => parts.push(part))
        request.on('end', () =>
          response.writeHead(calls === 1 ? 503 : 200).end(`${request.method} ${Buffer.concat(parts)}`),
        )
      },
      async (url, http) => {
        const body = async function* () {
          yield Buffer.from('a')
          yield Buffer.from('b')
        }
        const answer = await http.request(`${url}/x`, { method: 'PATCH', body })
        assert.equal((await answer.body.toArray()).join(''), 'PATCH ab')
        assert.equal(calls, 2)
        const broken = async function* (): AsyncGenerator<Uint8Array> {
          yield Buffer.from('a')
          throw new RangeError('the source broke')
        }
        await assert.rejects(http.request(`${url}/x`, { method: 'PUT', body: broken }), RangeError)
      },
    )
  })

  it('keeps a connection for the next request', async () => {
    const sockets = new Set<unknown>()
    await serving(
      (request, response) => {
        sockets.add(request.socket)
        // Without a length Node.js's server ends the connection after HEAD.
        response.writeHead(200, { 'content-length': 4 }).end('well')
      },
      async (url, http) => {
        for (let times = 0; times < 3; times++) await read(http, url)
        await letGo(await http.request(url, { method: 'HEAD' }))
        await read(http, url)
      },
    )
    assert.equal(sockets.size, 1)
  })
})
