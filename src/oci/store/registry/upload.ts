import { type Digest, type HttpAnswer, isSystemError, letGo, waitAsked } from '#std'
import { placeNamedBy, withParameter } from './addresses.ts'
import type { BlobSource } from './blobs.ts'
import { confused, interrupted } from './problems.ts'

/** Bytes of a chunk, where an upload has to be cut into some. */
const CHUNK = 16 * 2 ** 20
const ATTEMPTS = 5

/** Answers after which it is worth to go on. */
const PASSING = new Set([408, 429, 500, 502, 503, 504])

/** What is uploaded: opened anew, and with the same bytes, wherever an upload has to start over. */
export interface Packed {
  open(): AsyncIterable<Uint8Array>
  /** Known beforehand where the blob exists already. */
  readonly known?: { readonly digest: Digest; readonly size: number }
  /** The digest, once a stream that `open` gave has been read to its end. */
  digest(): Digest
}

/** Lets time pass before an attempt, the longer the more there were, and as long as a registry asks for. */
export type Wait = (attempt: number, seconds: number) => Promise<void>

/** An upload that a registry has begun. */
export interface Session {
  readonly location: URL
  /** The least size of a chunk that the registry asks for (`OCI-Chunk-Min-Length`). */
  readonly least: number
}

/**
 * Puts blobs into one repository (OCI distribution-spec, "Pushing blobs"). A blob whose digest is known goes in one PUT. One that is made while it is sent goes in one PATCH, as all
 * registries take it. Where that breaks off the registry is asked how far it came, and the rest follows in chunks; a registry, or a proxy before it, that does not take so much at once
 * gets chunks too.
 */
export class Uploads {
  readonly #place: BlobSource
  readonly #scopes: readonly string[]
  readonly #wait: Wait

  constructor(place: BlobSource, wait: Wait) {
    this.#place = place
    this.#scopes = [`repository:${place.repository}:pull,push`]
    this.#wait = wait
  }

  /** Takes over a blob of another repository of the same registry. False if the registry does not do that. */
  async mount(digest: Digest, from: string): Promise<boolean> {
    const { repository, host } = this.#place
    const scopes = [...this.#scopes, `repository:${from}:pull`]
    const query = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`
    const answer = await host.send({
      method: 'POST',
      place: `/v2/${repository}/blobs/uploads/${query}`,
      repository,
      scopes,
    })
    await letGo(answer)
    // With 202 it began an upload, which is left to be forgotten: a fresh one costs as much as using it.
    return answer.status === 201
  }

  /** Throws a `Problem` if nothing may be put there. The upload that it begins to find out is for the first blob; where there is none it is forgotten. */
  async check(): Promise<Session> {
    return await this.#begin()
  }

  /**
   * Puts a blob there, by way of an upload that was `begun` if it still can be. Throws a `Problem` where the registry refuses it, or where the connection breaks off again and again.
   */
  async put(packed: Packed, begun?: Session): Promise<void> {
    const failures: unknown[] = []
    let inChunks = false
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await this.#pause(attempt - 1, failures.at(-1))
      const old = attempt === 0 ? begun : undefined
      const session = old ?? (await this.#begin())
      try {
        if (inChunks) await this.#chunks(session, 0, packed)
        else await this.#whole(session, packed)
        return
      } catch (error) {
        // One that was begun long ago may have been forgotten.
        if (error instanceof TooMuch) inChunks = !old
        else if (!isInterruption(error)) throw error
        failures.push(error)
      }
      if (inChunks || packed.known) continue
      const far = await this.#reached(session).catch(() => undefined)
      if (!far || far.offset === 0) continue
      try {
        return await this.#chunks(far.session, far.offset, packed)
      } catch (error) {
        if (!isInterruption(error)) throw error
        failures.push(error)
      }
    }
    throw interrupted(this.#name(), failures.at(-1))
  }

  async #begin(): Promise<Session> {
    const { repository, host } = this.#place
    const answer = await host.send({
      method: 'POST',
      place: `/v2/${repository}/blobs/uploads/`,
      repository,
      scopes: this.#scopes,
      headers: { 'content-length': '0' },
    })
    if (answer.status !== 202 && answer.status !== 201)
      throw await host.problemOf(answer, 'upload to', this.#name(), repository)
    await letGo(answer)
    return this.#sessionOf(answer, undefined)
  }

  async #whole(session: Session, packed: Packed): Promise<void> {
    if (packed.known)
      return await this.#finish(session, packed.known.digest, {
        body: () => packed.open(),
        size: packed.known.size,
      })
    const answer = await this.#send(
      'PATCH',
      session.location,
      { 'content-type': 'application/octet-stream' },
      () => packed.open(),
    )
    if ([400, 404, 405, 411, 413, 416, 501].includes(answer.status)) {
      await letGo(answer)
      throw new TooMuch(answer.status)
    }
    await this.#finish(await this.#accepted(answer, session), packed.digest())
  }

  /** Sends what comes after `offset` in pieces, each kept until the registry has it. */
  async #chunks(start: Session, offset: number, packed: Packed): Promise<void> {
    let session = start
    let done = offset
    for await (const chunk of piecesOf(packed.open(), offset, Math.max(CHUNK, start.least))) {
      const end = done + chunk.byteLength
      for (let attempt = 0; done < end; attempt++) {
        const rest = chunk.subarray(chunk.byteLength - (end - done))
        const headers = { 'content-type': 'application/octet-stream', 'content-range': `${done}-${end - 1}` }
        try {
          session = await this.#accepted(await this.#send('PATCH', session.location, headers, rest), session)
          done = end
        } catch (error) {
          if (attempt === ATTEMPTS || !isInterruption(error)) throw error
          await this.#pause(attempt, error)
          const far = await this.#reached(session)
          if (far.offset < end - chunk.byteLength || far.offset > end) throw error
          session = far.session
          done = far.offset
        }
      }
    }
    await this.#finish(session, packed.digest())
  }

  async #finish(
    session: Session,
    digest: Digest,
    sent?: { body: () => AsyncIterable<Uint8Array>; size: number },
  ): Promise<void> {
    const { repository, host } = this.#place
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(sent?.size ?? 0) }
    const answer = await this.#send(
      'PUT',
      withParameter(session.location, 'digest', digest),
      headers,
      sent?.body,
    )
    if (sent && answer.status === 413) {
      await letGo(answer)
      throw new TooMuch(answer.status)
    }
    if (answer.status !== 201 && answer.status !== 204)
      throw await host.problemOf(answer, 'upload to', this.#name(), repository)
    await letGo(answer)
  }

  async #send(
    method: 'PATCH' | 'PUT',
    place: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | (() => AsyncIterable<Uint8Array>) | undefined,
  ): Promise<HttpAnswer> {
    const { host, repository } = this.#place
    const repeat = body === undefined
    const answer = await host.send({ method, place, repository, scopes: this.#scopes, headers, body, repeat })
    if (repeat || !PASSING.has(answer.status)) return answer
    await letGo(answer)
    throw new Passing(answer)
  }

  async #accepted(answer: HttpAnswer, session: Session): Promise<Session> {
    const { host, repository } = this.#place
    if (answer.status !== 202 && answer.status !== 201 && answer.status !== 204)
      throw await host.problemOf(answer, 'upload to', this.#name(), repository)
    await letGo(answer)
    return this.#sessionOf(answer, session)
  }

  /** How much of an upload the registry has. */
  async #reached(session: Session): Promise<{ session: Session; offset: number }> {
    const { host, repository } = this.#place
    const answer = await host.send({
      method: 'GET',
      place: session.location,
      repository,
      scopes: this.#scopes,
    })
    await letGo(answer)
    const [, end] = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.range ?? '') ?? []
    if (answer.status !== 204 && answer.status !== 202)
      throw confused(this.#name(), `it does not know how far an upload came (${answer.status})`)
    // `0-0` is what registries say of nothing as well as of one byte; starting over is right in both cases.
    const offset = end === undefined || end === '0' ? 0 : Number(end) + 1
    return { session: this.#sessionOf(answer, session), offset }
  }

  #sessionOf({ headers, url }: HttpAnswer, before: Session | undefined): Session {
    const { location } = headers
    if (location === undefined) {
      if (before) return before
      throw confused(this.#name(), 'it does not say where to upload to')
    }
    const least = Number(headers['oci-chunk-min-length'] ?? 0)
    return {
      location: placeNamedBy(new URL(url), location, 'the place of an upload'),
      least: Number.isSafeInteger(least) && least > 0 ? Math.min(least, 8 * CHUNK) : (before?.least ?? 0),
    }
  }

  #pause(attempt: number, after: unknown): Promise<void> {
    return this.#wait(attempt, after instanceof Passing ? after.seconds : 0)
  }

  #name(): string {
    return `${this.#place.host.name}/${this.#place.repository}`
  }
}

/** So much at once is not taken, or not without its size. */
class TooMuch extends Error {
  constructor(status: number) {
    super(`status ${status}`)
  }
}

/** The registry cannot do it now. */
class Passing extends Error {
  readonly seconds: number
  constructor({ status, headers }: HttpAnswer) {
    super(`status ${status}`)
    this.seconds = waitAsked(headers) / 1000
  }
}

function isInterruption(error: unknown): boolean {
  return error instanceof Passing || isSystemError(error, 'HTTP_UNREACHABLE')
}

async function* piecesOf(
  source: AsyncIterable<Uint8Array>,
  offset: number,
  size: number,
): AsyncGenerator<Buffer> {
  let skip = offset
  let parts: Uint8Array[] = []
  let length = 0
  for await (const each of source) {
    let rest = each.subarray(Math.min(skip, each.byteLength))
    skip -= each.byteLength - rest.byteLength
    while (length + rest.byteLength >= size) {
      yield Buffer.concat([...parts, rest.subarray(0, size - length)], size)
      rest = rest.subarray(size - length)
      parts = []
      length = 0
    }
    if (rest.byteLength > 0) parts.push(rest)
    length += rest.byteLength
  }
  if (length > 0) yield Buffer.concat(parts, length)
}
