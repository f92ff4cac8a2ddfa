import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { readIfExists } from '#std'

/** What pip would use. */
export interface PypiSettings {
  /** Simple indices (PEP 503), the first preferred; each ends in a slash and may carry user info. */
  readonly indices: readonly string[]
  /** PEM text of the certificate authorities that pip is told to trust. */
  readonly certificates: string | undefined
}

export interface PypiPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** The index that a pip that is not installed would use, asked for only where nothing else tells. */
  readonly defaultIndex?: () => Promise<string | undefined>
}

/**
 * Reads pip's configuration in small: `PIP_*` variables over the user's over the site's `pip.conf`. Where none names an
 * index, an installed pip is asked for the one it knows. No index at all if nothing on this machine knows one.
 */
export async function readPypiSettings(places: PypiPlaces): Promise<PypiSettings> {
  const { environment, home } = places
  const config = environment.XDG_CONFIG_HOME || join(home, '.config')
  const files =
    environment.PIP_CONFIG_FILE === '/dev/null'
      ? []
      : [
          '/etc/xdg/pip/pip.conf',
          '/etc/pip.conf',
          join(home, '.pip/pip.conf'),
          join(config, 'pip/pip.conf'),
          ...(environment.PIP_CONFIG_FILE ? [environment.PIP_CONFIG_FILE] : []),
        ]
  const values = new Map<string, string>()
  for (const file of files) {
    for (const [key, value] of parsePipConf((await readIfExists(file)) ?? '')) values.set(key, value)
  }
  const named = (key: string) =>
    environment[`PIP_${key.toUpperCase().replaceAll('-', '_')}`] || values.get(key)
  const first = named('index-url') ?? (await askPip(environment)) ?? (await places.defaultIndex?.())
  const extra = named('extra-index-url')?.split(/\s+/).filter(Boolean) ?? []
  const bundle = named('cert')
  return {
    indices: [...(first ? [first] : []), ...extra].map(url => (url.endsWith('/') ? url : `${url}/`)),
    certificates: bundle === undefined ? undefined : await readIfExists(resolve(home, bundle)),
  }
}

/** The `[global]` and `[download]`, `[install]` values of a `pip.conf`; continued lines are joined by blanks. */
export function parsePipConf(text: string): Map<string, string> {
  const values = new Map<string, string>()
  let section = ''
  let last: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[([^\]]+)\]\s*$/.exec(line)
    const pair = /^([\w-]+)\s*[=:]\s*(.*?)\s*$/.exec(line)
    const wanted = ['global', 'install', 'download'].includes(section)
    if (/^\s*[#;]/.test(line)) continue
    if (header) {
      section = header[1] ?? ''
      last = undefined
    } else if (/^\s+\S/.test(line)) {
      if (wanted && last) values.set(last, `${values.get(last) ?? ''} ${line.trim()}`.trim())
    } else if (pair) {
      last = (pair[1] ?? '').replaceAll('_', '-')
      if (wanted) values.set(last, pair[2] ?? '')
    }
  }
  return values
}

/** The address of the index that a pip carries in its `index.py`. */
export function indexIn(source: string): string | undefined {
  const base = /^PyPI = PackageIndex\(\s*["']([^"']+)["']/m.exec(source)?.[1]
  return base === undefined ? undefined : new URL('simple/', base).href
}

/** The index of an installed pip that nobody configured. `undefined` where there is no Python with pip. */
async function askPip(environment: PypiPlaces['environment']): Promise<string | undefined> {
  const program = 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)'
  return new Promise(done => {
    const options = { env: environment, timeout: 30_000, cwd: '/' }
    execFile('python3', ['-c', program], options, (error, stdout) => {
      const answer = stdout?.trim()
      done(!error && URL.canParse(answer) ? answer : undefined)
    })
  })
}
