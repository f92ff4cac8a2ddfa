import { chmod, type FileHandle, mkdir, open } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Runtime, RuntimeRequest } from '#runtimes'
import { check, hexOf, Problem, parseJson, type Report, redact, removeTree } from '#std'

/** Where buildpacks find the server's socket and the trees that it speaks of. */
export const DEPENDENCY_SOCKET = '/platform/dependencies/socket'
export const DEPENDENCY_TREES = '/platform/dependencies/trees'

/** A server that answers buildpacks in a sandbox; it stops, and its socket is gone, when disposed. */
export interface DependencyServer extends AsyncDisposable {
  /** The socket on this side, to be bound at `DEPENDENCY_SOCKET`. */
  readonly socket: string
}

export interface DependencyServerOptions {
  /** A directory of this build alone; the socket is made in it. */
  readonly directory: string
  /** Answers one request; what it throws as a `Problem` is told to the buildpack. */
  readonly resolve: (request: RuntimeRequest) => Promise<Runtime>
  readonly report: Report
}

/** What a build may ask for in all; build scripts are not trusted, and a loop in one may not keep the host busy. */
const REQUESTS = 500
const BODY = 16 * 1024

const text = v.pipe(v.string(), v.maxLength(200))
const requestSchema = v.strictObject({
  name: text,
  version: v.optional(text, ''),
  arch: v.picklist(['amd64', 'arm64']),
  base: v.object({ distro: text, version: text }),
  options: v.optional(v.record(text, v.union([text, v.boolean(), v.number()])), {}),
})

/**
 * Serves `POST /resolve` on a unix socket. The body is a `RuntimeRequest`; the answer is 200 and the runtime with the
 * place of its tree inside the sandbox (`root`), or 4xx/5xx and `{ what, why, fix }`. Only the owner may connect.
 */
export async function serveDependencies(options: DependencyServerOptions): Promise<DependencyServer> {
  const { directory, resolve, report } = options
  await mkdir(directory, { recursive: true })
  let left = REQUESTS
  const server = createServer((request, response) => {
    const work = left-- > 0 ? answer(request, resolve) : Promise.reject(tooMany())
    work
      .then(body => reply(response, 200, body))
      .catch(error => reply(response, ...refusal(error, report)))
      .catch(() => response.destroy())
  })
  server.maxConnections = 32
  server.requestTimeout = 30_000
  server.keepAliveTimeout = 1_000
  const socket = join(directory, 'socket')
  const listening = await listen(server, directory)
  await chmod(socket, 0o600)
  return {
    socket,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
      await listening.close()
      await removeTree(socket)
    },
  }
}

/**
 * Socket addresses have room for 108 bytes; by way of the open directory, that is enough for any place. The directory has
 * to stay open: on closing, the server removes its socket by the same way.
 */
async function listen(server: Server, directory: string): Promise<FileHandle> {
  const handle = await open(directory, 'r')
  try {
    await new Promise<void>((done, fail) => {
      server.once('error', fail)
      server.listen(`/proc/self/fd/${handle.fd}/socket`, () => {
        server.off('error', fail)
        done()
      })
    })
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function answer(
  request: IncomingMessage,
  resolve: DependencyServerOptions['resolve'],
): Promise<object> {
  if (request.method !== 'POST' || request.url !== '/resolve')
    throw notUnderstood('only POST /resolve is served')
  const body = await bodyOf(request)
  const source = 'the request of a buildpack'
  const { options, ...wanted } = check(requestSchema, parseJson(body, source, BODY), source)
  const runtime = await resolve({ ...wanted, options })
  const { name, version, digest, purl, cpes, licenses, components, needs, environment, hints } = runtime
  const root = `${DEPENDENCY_TREES}/${hexOf(digest)}`
  return { name, version, root, digest, purl, cpes, licenses, components, needs, environment, hints }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > BODY) throw notUnderstood(`the body is larger than ${BODY} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refusal(error: unknown, report: Report): [number, object] {
  if (error instanceof Problem) {
    const { code, what, why, fix } = error
    const malformed =
      code === 'DEPENDENCY_REQUEST' || code === 'DOCUMENT_INVALID' || code === 'JSON_MALFORMED'
    return [malformed ? 400 : 422, { code, what: redact(what), why: redact(why), fix: redact(fix) }]
  }
  report.detail(
    `resolving a dependency: ${redact(error instanceof Error ? (error.stack ?? error.message) : String(error))}`,
  )
  const why = 'something went wrong in slipway itself'
  return [
    500,
    {
      code: 'INTERNAL',
      what: 'Cannot resolve a dependency',
      why,
      fix: 'Run the build with --verbose to see it.',
    },
  ]
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(body))
}

function notUnderstood(why: string): Problem {
  return new Problem('DEPENDENCY_REQUEST', {
    what: 'Cannot answer a buildpack',
    why,
    fix: 'The buildpack has to use the SDK, or to follow docs/.',
  })
}

function tooMany(): Problem {
  return new Problem('DEPENDENCY_LIMIT', {
    what: 'Cannot resolve another dependency',
    why: `this build asked ${REQUESTS} times already`,
    fix: 'Look for a loop in the buildpacks or in the build scripts of the app.',
  })
}
