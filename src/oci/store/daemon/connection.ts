import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import { parseJson, readAll } from '#std'
import type { DaemonAddress } from './address.ts'
import { daemonRefused, daemonUnreachable } from './problems.ts'

/** One request to a daemon. */
export interface DaemonRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly path: string
  /** What it is for, to complete `Cannot …`. */
  readonly doing: string
  readonly body?: AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal | undefined
}

/** Opens the daemon's unix socket. */
export type ConnectSocket = () => Promise<Duplex>

const MOST_WORDS = 1 << 16
const LARGEST_ANSWER = 64 * 2 ** 20

/**
 * The Engine API over its socket (docs.docker.com/reference/api/engine), spoken alike by Docker and Podman. Without a version in the path the daemon
 * answers in its newest.
 */
export class DaemonConnection {
  readonly #address: DaemonAddress
  readonly #connect: ConnectSocket | undefined

  /** `connect` for a process that may not open the socket itself. */
  constructor(address: DaemonAddress, connect?: ConnectSocket) {
    this.#address = address
    this.#connect = connect
  }

  /** An answer of JSON; undefined for status 404. Throws a `Problem` (`DAEMON_REFUSED`, `DAEMON_UNREACHABLE`). */
  async json(request: DaemonRequest): Promise<unknown> {
    const answer = await this.stream(request)
    if (!answer) return undefined
    return parseJson(
      (await readAll(answer, LARGEST_ANSWER)).toString(),
      `an answer of the daemon`,
      LARGEST_ANSWER,
    )
  }

  /** An answer as it comes; undefined for status 404. Throws a `Problem` (`DAEMON_REFUSED`, `DAEMON_UNREACHABLE`). */
  async stream(request: DaemonRequest): Promise<IncomingMessage | undefined> {
    const answer = await this.#send(request)
    const status = answer.statusCode ?? 0
    if (status >= 200 && status < 300) return answer
    const words = await wordsOf(answer)
    if (status === 404) return undefined
    throw daemonRefused(request.doing, status, words)
  }

  async #send({ method, path, body, signal }: DaemonRequest): Promise<IncomingMessage> {
    const options: RequestOptions = {
      method,
      path,
      headers: { 'user-agent': 'slipway', ...(body && { 'content-type': 'application/x-tar' }) },
      ...(signal && { signal }),
      ...this.#way(),
    }
    const request = await this.#open(options)
    return await new Promise((resolve, reject) => {
      let failure: unknown
      request.once('response', resolve)
      request.once('error', error => reject(failure ?? (signal?.aborted ? error : this.#unreachable(error))))
      if (!body) return void request.end()
      // A daemon that refuses answers before it has read everything, and then closes: the answer counts, not the broken pipe.
      const watched = watch(body, error => {
        failure = error
      })
      pipeline(watched, request, () => {})
    })
  }

  #way(): RequestOptions {
    const [address, connect] = [this.#address, this.#connect]
    if (address.kind === 'tcp') return { agent: false, host: address.host, port: address.port }
    if (!connect) return { agent: false, socketPath: address.socketPath, host: 'localhost' }
    return {
      host: 'localhost',
      createConnection(_, done) {
        connect().then(
          socket => done(null, socket),
          error => done(error, undefined as never),
        )
        return undefined
      },
    }
  }

  async #open(options: RequestOptions): Promise<ClientRequest> {
    const { tls } = this.#address.kind === 'tcp' ? this.#address : {}
    if (!tls) return (await import('node:http')).request(options)
    return (await import('node:https')).request({ ...options, ...tls })
  }

  #unreachable(error: unknown) {
    const address = this.#address
    return daemonUnreachable(
      [address.kind === 'unix' ? address.socketPath : `${address.host}:${address.port}`],
      error,
    )
  }
}

/** Tells a failure of what is sent from one of the connection. */
async function* watch(
  body: AsyncIterable<Uint8Array>,
  failed: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    failed(error)
    throw error
  }
}

/** What a daemon says for itself: `{"message": …}`, or plain text. */
async function wordsOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const chunk of answer) {
    parts.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > MOST_WORDS) break
  }
  const text = Buffer.concat(parts).toString()
  try {
    const value = JSON.parse(text) as { message?: unknown; cause?: unknown }
    return String(value.message ?? value.cause ?? text)
  } catch {
    return text
  }
}
