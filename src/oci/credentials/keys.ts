import { parseRegistry } from '../reference.ts'

/** The host that a key of a file of credentials means: `host`, `host:port`, `https://index.docker.io/v1/`, `https://host/v2/`. */
export function hostOfKey(key: string): string | undefined {
  const [host = ''] = key.replace(/^https?:\/\//i, '').split('/')
  try {
    return parseRegistry(host)
  } catch {
    return undefined
  }
}

/** The repositories that a key is about, where it names any (`host/team`, as containers-auth.json(5) allows); empty for a whole host. */
export function pathOfKey(key: string): string {
  const path = key
    .replace(/^https?:\/\//i, '')
    .split('/')
    .slice(1)
    .join('/')
    .replace(/\/$/, '')
  return /^v[12]$/.test(path) ? '' : path
}
