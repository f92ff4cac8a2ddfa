import { createHash, type Hash } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { Problem } from './problem.ts'

declare const checked: unique symbol

/** A sha256 digest in OCI form, `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md). */
export type Digest = `sha256:${string}` & { readonly [checked]: 'Digest' }

/** True if the text is a well-formed sha256 digest. Other algorithms are not accepted anywhere in slipway. */
export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

/** Checks a digest that came from outside. Throws a `Problem` (`DIGEST_MALFORMED`) naming where it came from. */
export function parseDigest(text: string, source: string): Digest {
  if (isDigest(text)) return text
  throw new Problem('DIGEST_MALFORMED', {
    what: `Cannot use a digest from ${source}`,
    why: `${JSON.stringify(text.slice(0, 100))} is not sha256: followed by 64 lower-case hex digits`,
    fix: 'Check where the digest was copied from; slipway uses sha256 only.',
  })
}

/** Names bytes held in memory. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

/** The 64 hex digits without the algorithm. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

/** Passes bytes through unchanged while hashing and counting them; ask `digest()` and `size` after the end. */
export class Digesting extends Transform {
  readonly #hash: Hash = createHash('sha256')
  #digest: Digest | undefined
  size = 0

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk)
    this.size += chunk.byteLength
    done(null, chunk)
  }

  digest(): Digest {
    this.#digest ??= `sha256:${this.#hash.digest('hex')}` as Digest
    return this.#digest
  }
}
