import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream'
import { type Digest, isSystemError, parseDigest } from '#std'
import type { Artifact, ArtifactStore } from './artifacts.ts'
import {
  contentDiffers,
  interrupted,
  notOffered,
  registryConfused,
  registryRefused,
} from './registry-problems.ts'

/** Digests that a registry promises for a file; every one that is given is compared. */
export interface Promised {
  /** Hex. */
  readonly sha256?: string
  /** Hex. */
  readonly sha512?: string
  /** Hex. Compared only where nothing better is promised; SHA-1 does not protect against an attacker. */
  readonly sha1?: string
}

/** Passes bytes through and fails at the end if a promised digest differs. */
export class Keeping extends Transform {
  readonly #what: string
  readonly #checks: { algorithm: string; wanted: string; hash: ReturnType<typeof createHash> }[]

  constructor(what: string, promised: Promised) {
    super()
    this.#what = what
    const { sha1, sha256, sha512 } = promised
    const used = sha256 || sha512 ? { sha256, sha512 } : { sha1 }
    this.#checks = Object.entries(used).flatMap(([algorithm, wanted]) =>
      wanted === undefined ? [] : [{ algorithm, wanted: wanted.toLowerCase(), hash: createHash(algorithm) }],
    )
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    for (const { hash } of this.#checks) hash.update(chunk)
    done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    const results = this.#checks.map(({ algorithm, wanted, hash }) => ({
      algorithm,
      wanted,
      got: hash.digest('hex'),
    }))
    const wrong = results.find(({ wanted, got }) => got !== wanted)
    done(wrong ? contentDiffers(this.#what, wrong.algorithm, wrong.wanted, wrong.got) : null)
  }
}

/**
 * The hex digests of a Subresource Integrity value (`sha512-BASE64 …`), as far as they are strong enough to be worth
 * comparing; malformed parts are ignored as npm ignores them.
 */
export function promisedBy(integrity: string | undefined): Promised {
  const found: { sha256?: string; sha512?: string } = {}
  for (const [, algorithm, value] of (integrity ?? '').matchAll(
    /(?:^|\s)(sha256|sha512)-([A-Za-z0-9+/]{43,86}={0,2})(?=[\s?]|$)/g,
  )) {
    found[algorithm as 'sha256' | 'sha512'] = Buffer.from(value ?? '', 'base64').toString('hex')
  }
  return found
}

/** How registries are asked: one GET, redirects followed without credentials, extra authorities known, limits kept. */
export type Get = (
  url: string,
  options: GetOptions,
) => Promise<{ readonly status: number; readonly body: Readable }>

export interface GetOptions {
  readonly accept?: string
  /** Value of the Authorization header; it must never reach another host. */
  readonly authorization?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** What every registry client is handed. */
export interface RegistryAccess {
  readonly get: Get
  readonly artifacts: ArtifactStore
  readonly signal?: AbortSignal
}

/** Lets go of an answer that nobody will read, whatever its connection says about that. */
export function discard(body: Readable): void {
  body.on('error', () => {})
  body.destroy()
}

/** The bytes of an answer. A connection that fails or ends early becomes a `Problem` (`SOURCE_INTERRUPTED`). */
export async function* received(body: Readable, what: string, kind: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) yield chunk
  } catch (cause) {
    throw interrupted(what, kind, cause)
  } finally {
    discard(body)
  }
}

/** How often a transfer that broke off is begun anew. */
const ATTEMPTS = 3

/** Does a transfer again if its connection broke off. */
export async function untilWhole<Result>(transfer: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transfer()
    } catch (error) {
      if (attempt === ATTEMPTS || !isSystemError(error, 'SOURCE_INTERRUPTED')) throw error
    }
  }
}

/** Text of at most `limit` bytes. */
export async function textOf(body: Readable, what: string, kind: string, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of received(body, what, kind)) {
    size += chunk.byteLength
    if (size > limit) {
      discard(body)
      throw registryConfused(what, kind, `the answer is larger than ${limit} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Puts the file at a URL into the store, unless the store has it already by the sha256 that was promised. Throws where
 * the server refuses, and where the bytes are not those that were promised; nothing is kept then.
 */
export async function keep(
  access: RegistryAccess,
  url: string,
  {
    what,
    kind,
    promised,
    authorization,
  }: { what: string; kind: string; promised: Promised; authorization?: string | undefined },
): Promise<Artifact> {
  const digest = promised.sha256 === undefined ? undefined : parseDigest(`sha256:${promised.sha256}`, what)
  const known = digest && (await kept(access.artifacts, digest))
  if (known) return known
  return untilWhole(async () => {
    const { status, body } = await access.get(url, { authorization, signal: access.signal })
    if (status !== 200) {
      discard(body)
      throw status === 404 || status === 410 ? notOffered(what, kind) : registryRefused(what, status, kind)
    }
    const checked = pipeline(received(body, what, kind), new Keeping(what, promised), () => {}) as unknown
    return access.artifacts.add(checked as Keeping, { name: what, ...(digest && { digest }) })
  })
}

async function kept(artifacts: ArtifactStore, digest: Digest): Promise<Artifact | undefined> {
  const path = await artifacts.path(digest)
  return path === undefined ? undefined : { digest, path, size: (await stat(path)).size }
}
