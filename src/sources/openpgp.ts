import type { Key } from 'openpgp'

/** Reads armoured public keys. */
export async function createVerificationKeys(armored: readonly string[]): Promise<Key[]> {
  const { readKey } = await import('openpgp')
  return Promise.all(armored.map(armoredKey => readKey({ armoredKey })))
}

/**
 * The text that a clear-signed message really signs, and the fingerprints of the given keys with a good signature on it.
 * Signatures by other keys do not count, and neither do broken ones.
 */
export async function verifyClearText(
  text: string,
  keys: readonly Key[],
): Promise<{ signed: string; signers: string[] }> {
  const { config, readCleartextMessage, verify } = await import('openpgp')
  const message = await readCleartextMessage({ cleartextMessage: text })
  const { data, signatures } = await verify({
    message,
    verificationKeys: [...keys],
    config: { ...config, minRSABits: 2047 },
  })
  const signers: string[] = []
  for (const { keyID, verified } of signatures) {
    const good = await verified.catch(() => false)
    const key = keys.find(candidate => candidate.getKeys(keyID).length > 0)
    if (good && key) signers.push(key.getFingerprint().toUpperCase())
  }
  return { signed: data.replace(/\r\n/g, '\n'), signers }
}
