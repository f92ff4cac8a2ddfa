import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { readIfExists } from '#std'
import { GO_CHECKSUM_KEYS, type NoteKey, parseNoteKey } from './go-note.ts'

/** One place that modules come from. */
export interface GoProxy {
  /** Without a slash at its end and without user info. */
  readonly url: string
  /** Value of the Authorization header, from user info in the URL or from `.netrc`. */
  readonly authorization: string | undefined
  /** True if the next place is asked after any failure (`|`), and not only where a module is missing (`,`). */
  readonly forgiving: boolean
}

/** The database that knows the digest of every public module version. */
export interface GoChecksumDatabase {
  readonly key: NoteKey
  /** Its own address; proxies that have a copy are asked first. */
  readonly url: string
}

/** What the go command would use. */
export interface GoSettings {
  /** In order; empty if nothing on this machine knows one. */
  readonly proxies: readonly GoProxy[]
  /** `undefined` where the user turned it off. */
  readonly checksums: GoChecksumDatabase | undefined
  /** True for module paths that no proxy may be asked for (`GONOPROXY`, else `GOPRIVATE`). */
  isPrivate(path: string): boolean
  /** True for module paths that the database is not asked about (`GONOSUMDB`, else `GOPRIVATE`). */
  isUnchecked(path: string): boolean
}

/** Where Go keeps its configuration on this machine; nothing is read from the process itself. */
export interface GoPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The home directory of the user. */
  readonly home: string
  /** The text of a `go.env`, where a Go that is not installed has its defaults; asked for only where nothing else tells. */
  readonly defaults?: () => Promise<string | undefined>
}

const NAMES = ['GOPROXY', 'GOSUMDB', 'GOPRIVATE', 'GONOPROXY', 'GONOSUMDB'] as const
type Values = Readonly<Partial<Record<(typeof NAMES)[number], string>>>

/**
 * Reads Go's configuration as the go command does: the environment over the file that `go env -w` writes. Where neither
 * names a proxy, an installed go is asked for its default. Lists may hold `direct` and `off`, which end them: modules are never
 * fetched from version control here.
 */
export async function readGoSettings(places: GoPlaces): Promise<GoSettings> {
  const { environment, home } = places
  const own: Record<string, string> = {}
  const file = environment.GOENV || join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'go/env')
  if (file !== 'off') Object.assign(own, parseGoEnv((await readIfExists(file)) ?? ''))
  for (const name of NAMES) {
    const value = environment[name]
    if (value) own[name] = value
  }
  const needsDefaults = !own.GOPROXY || !own.GOSUMDB
  const defaults = needsDefaults ? ((await askGo(environment)) ?? (await shippedDefaults(places, own))) : {}
  const netrc = (await readIfExists(environment.NETRC || join(home, '.netrc'))) ?? ''
  return goSettings({ ...defaults, ...own }, netrc)
}

/** The settings that variables mean. */
export function goSettings(values: Values, netrc = ''): GoSettings {
  const noProxy = matcherOf(values.GONOPROXY ?? values.GOPRIVATE)
  const noChecksums = matcherOf(values.GONOSUMDB ?? values.GOPRIVATE)
  return {
    proxies: proxiesIn(values.GOPROXY ?? '', netrc),
    checksums: checksumsIn(values.GOSUMDB ?? ''),
    isPrivate: noProxy,
    isUnchecked: noChecksums,
  }
}

/** Reads `NAME=value` lines as `go env -w` writes them. */
export function parseGoEnv(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*?)\r?$/gm)]
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value?.trim()]))
}

function proxiesIn(list: string, netrc: string): GoProxy[] {
  const proxies: GoProxy[] = []
  for (const [, place = '', separator] of list.matchAll(/([^,|]+)([,|]?)/g)) {
    const trimmed = place.trim()
    if (trimmed === 'direct' || trimmed === 'off') break
    if (!URL.canParse(trimmed) || !/^https?:$/.test(new URL(trimmed).protocol)) continue
    const url = new URL(trimmed)
    const user = url.username && `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    const pair = user || netrcPair(netrc, url.hostname)
    url.username = ''
    url.password = ''
    proxies.push({
      url: url.href.replace(/\/+$/, ''),
      authorization: pair ? `Basic ${Buffer.from(pair).toString('base64')}` : undefined,
      forgiving: separator === '|',
    })
  }
  return proxies
}

/** `login:password` for a machine in a `.netrc` file. */
function netrcPair(text: string, host: string): string | undefined {
  const words = text.replace(/^#.*$/gm, '').split(/\s+/)
  for (let at = words.indexOf('machine'); at >= 0; at = words.indexOf('machine', at + 1)) {
    if (words[at + 1] !== host) continue
    const own = words.slice(at + 2)
    const end = own.findIndex(word => word === 'machine' || word === 'default')
    const entry = end < 0 ? own : own.slice(0, end)
    const value = (name: string) => entry[entry.indexOf(name) + 1]
    if (entry.includes('login') && entry.includes('password')) return `${value('login')}:${value('password')}`
  }
  return undefined
}

function checksumsIn(setting: string): GoChecksumDatabase | undefined {
  const [name = '', address] = setting.trim().split(/\s+/)
  if (name === '' || name === 'off') return undefined
  const key = parseNoteKey(GO_CHECKSUM_KEYS[name] ?? name)
  return { key, url: (address ?? `https://${name.split('+')[0]}`).replace(/\/+$/, '') }
}

/** Go's patterns: comma-separated globs that match a module path or a whole prefix of one. */
function matcherOf(patterns: string | undefined): (path: string) => boolean {
  const tests = (patterns ?? '')
    .split(',')
    .map(pattern => pattern.trim().replace(/\/+$/, ''))
    .filter(Boolean)
    .map(pattern => {
      const source = pattern
        .replace(/[\\^$.|+(){}]/g, '\\$&')
        .replace(/\*/g, '[^/]*')
        .replace(/\?/g, '[^/]')
      return new RegExp(`^${source}(?:/|$)`)
    })
  return path => tests.some(test => test.test(path))
}

async function shippedDefaults({ defaults }: GoPlaces, own: Values): Promise<Values> {
  return own.GOPROXY === 'off' ? {} : parseGoEnv((await defaults?.()) ?? '')
}

/** What an installed go uses where nobody configured anything. `undefined` where there is no go. */
async function askGo(environment: GoPlaces['environment']): Promise<Values | undefined> {
  return new Promise(done => {
    const options = { env: environment, timeout: 30_000, cwd: '/' }
    execFile('go', ['env', ...NAMES], options, (error, stdout) => {
      const values = stdout?.split('\n') ?? []
      const named = NAMES.map((name, at) => [name, values[at]?.trim()] as const)
      done(error ? undefined : Object.fromEntries(named.filter(([, value]) => value)))
    })
  })
}
