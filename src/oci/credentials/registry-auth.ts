import * as v from 'valibot'
import { check, parseJson } from '#std'
import { basicFrom, type Credential } from './credential.ts'
import { hostOfKey } from './keys.ts'
import { readingSecrets } from './problems.ts'

const schema = v.record(v.string(), v.string())

/**
 * Reads `CNB_REGISTRY_AUTH` (CNB platform specification): a JSON object from hosts to `Basic …`, `Bearer …` or `X-Identity …`.
 * Throws a `Problem` (`CREDENTIALS_UNREADABLE`) that shows none of it.
 */
export function parseRegistryAuth(text: string): Map<string, Credential> {
  const found = new Map<string, Credential>()
  const source = 'the variable CNB_REGISTRY_AUTH'
  for (const [key, value] of Object.entries(
    readingSecrets(source, () => check(schema, parseJson(text, source), source)),
  )) {
    const [, scheme = '', token = ''] = /^(Basic|Bearer|X-Identity) +(\S+)\s*$/i.exec(value) ?? []
    const host = hostOfKey(key)
    const credential = credentialOf(scheme.toLowerCase(), token)
    if (host !== undefined && credential) found.set(host, credential)
  }
  return found
}

function credentialOf(scheme: string, token: string): Credential | undefined {
  if (scheme === 'basic') return basicFrom(token)
  if (scheme === 'bearer') return { kind: 'bearer', token }
  return scheme === 'x-identity' ? { kind: 'identity', token } : undefined
}
