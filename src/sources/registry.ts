import { createHash } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { contentDiffers } from './registry-problems.ts'

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
    const results = this.#checks.map(({ algorithm, wanted, hash }) => ({ algorithm, wanted, got: hash.digest('hex') }))
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
