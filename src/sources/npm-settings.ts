import { execFile } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { isSystemError, readIfExists } from '#std'

/** What npm would use: where packages come from, what opens the door, and whom to trust. */
export interface NpmSettings {
  /** Registry of packages without a scope, ending in a slash; `undefined` if nothing names one. */
  readonly registry: string | undefined
  /** Registries of scopes, `@acme` to URL. */
  readonly scopes: ReadonlyMap<string, string>
  /** The value of an Authorization header for a URL, by npm's rule: the longest configured prefix of host and path. */
  authorization(url: string): string | undefined
  /** PEM text of the certificate authorities that npm is told to trust. */
  readonly certificates: string | undefined
}

/** Where npm keeps its configuration on this machine; nothing is read from the process itself. */
export interface NpmPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The home directory of the user. */
  readonly home: string
  /** The program that runs us; npm's global and built-in configuration lie relative to it. */
  readonly node: string
  /** A directory with a project's own `.npmrc`. */
  readonly project?: string
  /** The registry that an npm knows which is not installed here, asked for only where nothing else names one. */
  readonly defaultRegistry?: () => Promise<string | undefined>
}

/**
 * Reads npm's configuration as npm does, in small: environment over project over user over global over built-in, with
 * `${NAME}` replaced from the environment. If none of it names a registry, npm itself is asked for the one it knows, here or elsewhere.
 */
export async function readNpmSettings(places: NpmPlaces): Promise<NpmSettings> {
  const { environment, home, node } = places
  const values = await configuredValues(places)
  const cafile = values.get('cafile')
  const bundle =
    cafile === undefined || cafile === 'null' ? undefined : await readIfExists(resolve(home, cafile))
  const certificates = [bundle, values.get('ca')?.replaceAll('\\n', '\n')].filter(Boolean).join('\n')
  return settingsOf(
    values,
    values.get('registry') ?? (await askNpm(node, environment)) ?? (await places.defaultRegistry?.()),
    certificates || undefined,
  )
}

/** The registry that npm's own table of settings (`lib/utils/config/definitions.js`) has as its default. */
export function npmRegistryIn(definitions: string): string | undefined {
  const url = /define\('registry', \{\s*default: '([^'\s]+)'/.exec(definitions)?.[1]
  return url !== undefined && URL.canParse(url) ? url : undefined
}

/**
 * The registry that somebody configured for npm on this machine, without a credential; `undefined` where nobody did, or where the address itself holds
 * one. npm is not asked.
 */
export async function configuredNpmRegistry(places: NpmPlaces): Promise<string | undefined> {
  const registry = (await configuredValues(places)).get('registry')
  if (registry === undefined || !URL.canParse(registry)) return undefined
  const { protocol, username, password } = new URL(registry)
  const usable = /^https?:$/.test(protocol) && username === '' && password === '' && !/\s/.test(registry)
  return usable ? withSlash(registry) : undefined
}

async function configuredValues({
  environment,
  home,
  node,
  project,
}: NpmPlaces): Promise<Map<string, string>> {
  const prefix = dirname(dirname(node))
  const named = (key: string) =>
    environment[`npm_config_${key}`] ?? environment[`NPM_CONFIG_${key.toUpperCase()}`]
  const files = [
    join(prefix, 'lib/node_modules/npm/npmrc'),
    named('globalconfig') ?? join(named('prefix') ?? prefix, 'etc/npmrc'),
    named('userconfig') ?? join(home, '.npmrc'),
    ...(project === undefined ? [] : [join(project, '.npmrc')]),
  ]
  const texts = await Promise.all(files.map(readIfExists))
  const values = new Map(texts.flatMap(text => [...parseNpmrc(text ?? '', environment)]))
  for (const key of ['registry', 'cafile']) {
    const value = named(key)
    if (value) values.set(key, value)
  }
  return values
}

/** The settings that key and value pairs of an `.npmrc` mean. */
export function settingsOf(
  values: ReadonlyMap<string, string>,
  registry: string | undefined,
  certificates?: string,
): NpmSettings {
  const scopes = [...values].flatMap(([key, value]) => {
    const scope = /^(@[^/:]+):registry$/.exec(key)?.[1]
    return scope === undefined ? [] : [[scope, withSlash(value)] as const]
  })
  return {
    registry: registry === undefined ? undefined : withSlash(registry),
    scopes: new Map(scopes),
    certificates,
    authorization: url => authorizationOf(values, url),
  }
}

/** Reads the ini text of an `.npmrc`: `key = value` lines, `;` and `#` comments, quotes, `key[] = value` lists joined. */
export function parseNpmrc(text: string, environment: NpmPlaces['environment']): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line)
    if (!match) continue
    const [, key = '', raw = ''] = match
    const bare = /^"(.*)"$|^'(.*)'$/.exec(raw)
    const value = expanded(bare?.[1] ?? bare?.[2] ?? raw, environment)
    const list = /^(.*)\[\]$/.exec(key)?.[1]
    if (list === undefined) values.set(expanded(key, environment), value)
    else values.set(list, [values.get(list), value].filter(Boolean).join('\n'))
  }
  return values
}

function expanded(text: string, environment: NpmPlaces['environment']): string {
  return text.replace(
    /\$\{([^}?]+)(\?)?\}/g,
    (whole, name: string, optional) => environment[name] ?? (optional ? '' : whole),
  )
}

function authorizationOf(values: ReadonlyMap<string, string>, url: string): string | undefined {
  const { host, pathname } = new URL(url)
  for (let path = pathname; ; path = path.replace(/[^/]*\/?$/, '')) {
    for (const prefix of new Set([`//${host}${path}`, `//${host}${path.replace(/\/$/, '')}`])) {
      const token = values.get(`${prefix}:_authToken`)
      if (token) return `Bearer ${token}`
      const basic = values.get(`${prefix}:_auth`)
      if (basic) return `Basic ${basic}`
      const user = values.get(`${prefix}:username`)
      const password = values.get(`${prefix}:_password`)
      if (user && password) {
        const pair = `${user}:${Buffer.from(password, 'base64').toString('utf8')}`
        return `Basic ${Buffer.from(pair).toString('base64')}`
      }
    }
    if (path === '/' || path === '') return undefined
  }
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

/** The registry that npm uses where nobody configured one. `undefined` where there is no npm. */
async function askNpm(node: string, environment: NpmPlaces['environment']): Promise<string | undefined> {
  const script = join(dirname(dirname(node)), 'lib/node_modules/npm/bin/npm-cli.js')
  const programs: [string, string[]][] = [
    [node, [script]],
    ['npm', []],
  ]
  for (const [program, first] of programs) {
    const answer = await new Promise<string | undefined>((done, fail) => {
      const command = [...first, 'config', 'get', 'registry', '--loglevel=silent']
      const options = { env: environment, timeout: 30_000, cwd: '/' }
      execFile(program, command, options, (error, stdout) => {
        if (error && !isSystemError(error, 'ENOENT', 'EACCES') && typeof error.code !== 'number') fail(error)
        else done(error ? undefined : stdout.trim())
      })
    })
    if (answer !== undefined && URL.canParse(answer)) return answer
  }
  return undefined
}
