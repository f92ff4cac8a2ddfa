import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, readIfExists } from '#std'
import { mirrorInvalid } from './debian-problems.ts'

/** Where Debian packages come from on this machine. Every URL ends in a slash and may carry user info. */
export interface DebianMirrors {
  /** Archives with the main suites and their updates. */
  readonly main: readonly string[]
  /** Archives with the security suites. */
  readonly security: readonly string[]
  /** Further archives that may still have what the others have dropped. */
  readonly snapshots: readonly string[]
  /** Accept indices that are out of date, or older than one seen before: for mirrors that show a day of the past on purpose. */
  readonly allowOld?: boolean
}

/** One `deb` line of apt's configuration. */
export interface AptSource {
  readonly url: string
  readonly suites: readonly string[]
}

/** Suites of Debian. Other sources (of Ubuntu, of vendors) do not have Debian's packages. */
const DEBIAN =
  /^(?:(?:old){0,2}stable|testing|unstable|sid|buster|bullseye|bookworm|trixie|forky|duke)(?:-[a-z-]+|\/updates)?$/

/**
 * Takes hosts, never suites, from the sources of Debian in apt's configuration on this machine. `SLIPWAY_APT_MIRROR` and
 * `SLIPWAY_APT_SECURITY_MIRROR` (by default the sibling `debian-security` of the first) stand for all;
 * `SLIPWAY_SNAPSHOT_MIRROR` adds archives, parted by blanks. Credentials may be part of a URL.
 * `SLIPWAY_APT_ALLOW_OLD=1` accepts old indices. Throws a `Problem` (`DEBIAN_MIRROR_INVALID`) for what is no http URL.
 */
export async function readDebianMirrors(
  environment: Readonly<Record<string, string | undefined>>,
  apt = '/etc/apt',
): Promise<DebianMirrors> {
  const urlsIn = (variable: string) =>
    (environment[variable] ?? '')
      .split(/\s+/)
      .filter(Boolean)
      .map(url => mirrorUrl(url, variable))
  const common = {
    snapshots: urlsIn('SLIPWAY_SNAPSHOT_MIRROR'),
    allowOld: /^(?:1|true|yes)$/i.test(environment.SLIPWAY_APT_ALLOW_OLD ?? ''),
  }
  const main = urlsIn('SLIPWAY_APT_MIRROR')
  if (main.length > 0) {
    const named = urlsIn('SLIPWAY_APT_SECURITY_MIRROR')
    return { main, security: named.length > 0 ? named : siblings(main), ...common }
  }
  const sources = (await readAptSources(apt)).filter(({ suites }) => suites.some(suite => DEBIAN.test(suite)))
  const secures = (suite: string) => /-security$|^[a-z]+\/updates$/.test(suite)
  const urls = (wanted: (suite: string) => boolean) => [
    ...new Set(sources.filter(({ suites }) => suites.some(wanted)).map(({ url }) => withSlash(url))),
  ]
  const found = urls(suite => !secures(suite))
  const foundSecurity = urls(secures)
  const security = foundSecurity.length > 0 ? foundSecurity : siblings(found)
  return { main: found, security, ...common }
}

/** Where mirrors have the security archive, if they have it. */
function siblings(mirrors: readonly string[]): string[] {
  return mirrors.map(url => new URL('../debian-security/', url).href)
}

function mirrorUrl(text: string, variable: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return withSlash(text)
  throw mirrorInvalid(variable, text)
}

/** The binary package sources of an apt configuration directory, in both of its forms. */
export async function readAptSources(apt: string): Promise<AptSource[]> {
  const parts = join(apt, 'sources.list.d')
  const names = await readdir(parts).catch(error => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return []
    throw error
  })
  const found: AptSource[] = parseList((await readIfExists(join(apt, 'sources.list'))) ?? '')
  for (const name of names.toSorted()) {
    const text = /^[\w.-]+\.(list|sources)$/.test(name) ? await readIfExists(join(parts, name)) : undefined
    if (text !== undefined) found.push(...(name.endsWith('.list') ? parseList(text) : parseStanzas(text)))
  }
  return found.filter(({ url }) => /^https?:\/\//.test(url) && URL.canParse(url))
}

/** One-line form: `deb [options] url suite component…`. */
export function parseList(text: string): AptSource[] {
  return text.split('\n').flatMap(line => {
    const [, url, suite] = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line.replace(/#.*/, '')) ?? []
    return url && suite ? [{ url, suites: [suite] }] : []
  })
}

/** The deb822 form: stanzas with `Types`, `URIs`, `Suites`, `Enabled`. */
export function parseStanzas(text: string): AptSource[] {
  return text
    .split('\n')
    .filter(line => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap(stanza => {
      const fields = new Map<string, string>()
      for (const [, name = '', value = ''] of stanza.matchAll(/^([\w-]+):((?:.*\n?)(?:[ \t]+.*\n?)*)/gm)) {
        fields.set(name.toLowerCase(), value.trim())
      }
      const words = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean)
      if (!words('types').includes('deb') || /^(no|false|0|off)$/i.test(fields.get('enabled') ?? ''))
        return []
      return words('uris').map(url => ({ url, suites: words('suites') }))
    })
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

/** A mirror's URL without user info, and the value of the Authorization header that stands for it. */
export function credentialsOf(mirror: string): { url: string; authorization: string | undefined } {
  const url = new URL(mirror)
  const pair = url.username
    ? `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    : undefined
  url.username = ''
  url.password = ''
  const authorization = pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`
  return { url: url.href, authorization }
}
