import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { Problem } from '#std'

/** A key that signs notes. */
export interface NoteKey {
  readonly name: string
  /** The first four bytes of a hash over name and key, which signatures carry. */
  readonly id: Buffer
  readonly key: KeyObject
}

/** The keys of public checksum databases, as the go command has them built in (golang.org/x/mod/sumdb/note). */
export const GO_CHECKSUM_KEYS: Readonly<Record<string, string>> = {
  'sum.golang.org': 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8',
}

const ED25519 = 1

/** Reads a verifier key, `NAME+ID+KEY`. Throws a `Problem` (`GO_KEY_MALFORMED`). */
export function parseNoteKey(text: string): NoteKey {
  const [, name = '', id = '', encoded = ''] =
    /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? []
  const key = Buffer.from(encoded, 'base64')
  const hash = createHash('sha256').update(`${name}\n`).update(key).digest().subarray(0, 4)
  if (key.byteLength !== 33 || key[0] !== ED25519 || hash.toString('hex') !== id) {
    throw new Problem('GO_KEY_MALFORMED', {
      what: 'Cannot use the checksum database of Go',
      why: `${JSON.stringify(text.slice(0, 100))} is neither a database that is known nor a key`,
      fix: 'Set GOSUMDB to NAME+ID+KEY, as its operator publishes it, or leave it out for the standard one.',
    })
  }
  const x = key.subarray(1).toString('base64url')
  return { name, id: hash, key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }) }
}

/**
 * The text of a signed note (golang.org/x/mod/sumdb/note), once a signature over it by the key has been checked. Other signatures
 * are passed over. `undefined` where there is none by that key, or a wrong one.
 */
export function openNote(note: string, { name, id, key }: NoteKey): string | undefined {
  const split = note.lastIndexOf('\n\n')
  if (split < 0) return undefined
  const text = note.slice(0, split + 1)
  for (const [, signer, encoded = ''] of note
    .slice(split + 2)
    .matchAll(/^\u2014 (\S+) ([A-Za-z0-9+/=]+)\n/gm)) {
    const signature = Buffer.from(encoded, 'base64')
    if (signer !== name || !signature.subarray(0, 4).equals(id)) continue
    return verify(null, Buffer.from(text), key, signature.subarray(4)) ? text : undefined
  }
  return undefined
}
