import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { findCertificates } from '../../src/platform/machine/extra-certificates.ts'
import { readDebianMirrors } from '../../src/sources/mod.ts'
import { openHttp, printCertificates, readAll } from '../../src/std/mod.ts'

/** What a mirror makes of a real file before it passes it on; undefined is a 404. */
export type Lie = (path: string, real: Buffer) => Buffer | undefined

/** A mirror of Debian on the loopback address that passes real files on, and lies about some. It stops when it is disposed. */
export interface LyingMirror extends AsyncDisposable {
  /** The variables that make slipway ask it. */
  readonly environment: Readonly<Record<string, string>>
  /** Paths that were asked for. */
  readonly asked: string[]
}

/** Opens a mirror in front of the one that this machine knows; undefined where it knows none. */
export async function openLyingMirror(lie: Lie): Promise<LyingMirror | undefined> {
  const { main, security } = await readDebianMirrors(process.env)
  const { certificates } = await findCertificates(process.env)
  const http = openHttp({
    environment: process.env,
    ...(certificates.length > 0 && { certificates: printCertificates(certificates) }),
  })
  const asked: string[] = []
  if (!main[0] || !security[0]) return undefined
  const places: Readonly<Record<string, string>> = { debian: main[0], 'debian-security': security[0] }
  const real = async (archive: string, path: string): Promise<Buffer | undefined> => {
    const { status, body } = await http.get(`${places[archive] ?? main[0]}${path}`)
    const bytes = await readAll(body)
    return status === 200 ? bytes : undefined
  }
  const server = createServer((request, response) => {
    const [, archive = '', path = ''] = /^\/([\w-]+)\/(.*)$/.exec(request.url ?? '') ?? []
    asked.push(path)
    real(archive, path)
      .then(bytes => {
        const told = bytes && lie(path, bytes)
        response.writeHead(told ? 200 : 404, { 'content-length': told?.length ?? 0 }).end(told)
      })
      .catch(() => response.writeHead(502).end())
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    environment: {
      SLIPWAY_APT_MIRROR: `${url}/debian/`,
      SLIPWAY_APT_SECURITY_MIRROR: `${url}/debian-security/`,
      no_proxy: '127.0.0.1',
      NO_PROXY: '127.0.0.1',
    },
    asked,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}
