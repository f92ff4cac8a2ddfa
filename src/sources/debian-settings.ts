import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, readIfExists } from '#std'

/** Where Debian packages come from on this machine. Every URL ends in a slash and may carry user info. */
export interface DebianMirrors {
  /** Archives with the main suites and their updates. */
  readonly main: readonly string[]
  /** Archives with the security suites. */
  readonly security: readonly string[]
  /** Further archives that may still have what the others have dropped. */
  readonly snapshots: readonly string[]
}

/** One `deb` line of apt's configuration. */
export interface AptSource {
  readonly url: string
  readonly suites: readonly string[]
}

/**
 * Takes hosts, never suites, from apt's configuration on this machine. `SLIPWAY_APT_MIRROR` and
 * `SLIPWAY_APT_SECURITY_MIRROR` (by default the sibling `debian-security` of the first) stand for all;
 * `SLIPWAY_APT_SNAPSHOTS` adds archives, parted by blanks.
 */
export async function readDebianMirrors(
  environment: Readonly<Record<string, string | undefined>>,
  apt = '/etc/apt',
): Promise<DebianMirrors> {
  const snapshots = (environment.SLIPWAY_APT_SNAPSHOTS ?? '').split(/\s+/).filter(Boolean).map(withSlash)
  const forced = environment.SLIPWAY_APT_MIRROR
  if (forced) {
    const main = withSlash(forced)
    const security = environment.SLIPWAY_APT_SECURITY_MIRROR ?? new URL('../debian-security/', main).href
    return { main: [main], security: [withSlash(security)], snapshots }
  }
  const sources = await readAptSources(apt)
  const secures = ({ suites }: AptSource) => suites.some(suite => /-security$|^[a-z]+\/updates$/.test(suite))
  const urls = (wanted: readonly AptSource[]) => [...new Set(wanted.map(({ url }) => withSlash(url)))]
  return {
    main: urls(sources.filter(source => !secures(source))),
    security: urls(sources.filter(secures)),
    snapshots,
  }
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
