import { parseJson } from '#std'
import type { Artifact } from './artifacts.ts'
import type { PypiSettings } from './pypi-settings.ts'
import { discard, keep, type RegistryAccess, textOf } from './registry.ts'
import { noRegistry, notOffered, registryConfused, registryRefused } from './registry-problems.ts'

/** One file of a Python project. */
export interface PypiFile {
  readonly name: string
  readonly url: string
  /** Hex. Files without one are not listed: they could not be checked. */
  readonly sha256: string
  /** Withdrawn by its author; to be used only where a lock names it. */
  readonly yanked: boolean
  /** Value of the Authorization header for the index's own host. */
  readonly authorization: string | undefined
}

/** A Python package index. */
export interface PypiIndex {
  /** All files of a project, in the index's order. Throws a `Problem` where no index has the project. */
  files(project: string): Promise<PypiFile[]>
  /** The file, compared with the sha256 of the index. */
  fetch(file: PypiFile): Promise<Artifact>
}

const KIND = 'the Python package index'
const SIMPLE = 'application/vnd.pypi.simple.v1+json'

/** Opens the indices that pip's settings name (PEP 503, PEP 691). Using them throws a `Problem` where there are none. */
export function openPypiIndex(settings: PypiSettings, access: RegistryAccess): PypiIndex {
  return {
    async files(project) {
      if (settings.indices.length === 0) {
        throw noRegistry('PyPI', 'Set PIP_INDEX_URL, or index-url in pip.conf, to the URL of an index.')
      }
      // The first index that has the project decides: mixing indices would let a stranger's file win by its version.
      for (const index of settings.indices) {
        const { base, authorization } = opened(index)
        const url = new URL(`${project.toLowerCase().replace(/[-_.]+/g, '-')}/`, base).href
        const { status, body } = await access.get(url, {
          accept: `${SIMPLE}, text/html; q=0.2`,
          authorization,
          signal: access.signal,
        })
        if (status !== 200) discard(body)
        if (status === 404) continue
        if (status !== 200) throw registryRefused(project, status, KIND)
        const text = await textOf(body, project, KIND, 64 * 1024 * 1024)
        const host = new URL(base).host
        return pypiFilesIn(text, url, project).map(file => ({
          ...file,
          authorization: new URL(file.url).host === host ? authorization : undefined,
        }))
      }
      throw notOffered(project, KIND)
    },
    async fetch({ name, url, sha256, authorization }) {
      return keep(access, url, { what: name, kind: KIND, promised: { sha256 }, authorization })
    },
  }
}

/** The files that an index page lists, in either of its two forms. Those without a sha256 are left out. */
export function pypiFilesIn(text: string, url: string, project: string): Omit<PypiFile, 'authorization'>[] {
  return text.trimStart().startsWith('{') ? filesInJson(text, url, project) : filesInHtml(text, url)
}

function filesInJson(text: string, url: string, project: string): Omit<PypiFile, 'authorization'>[] {
  const document = parseJson(text, `what ${KIND} says about ${project}`, 64 * 1024 * 1024) as Record<
    string,
    unknown
  >
  if (!Array.isArray(document.files)) throw registryConfused(project, KIND, 'there is no list of files in it')
  return document.files.flatMap((file: Record<string, unknown>) => {
    const sha256 = (file?.hashes as Record<string, unknown> | undefined)?.sha256
    const { filename, url: place, yanked } = file ?? {}
    if (typeof filename !== 'string' || typeof place !== 'string' || typeof sha256 !== 'string') return []
    return listed(filename, place, url, sha256, yanked !== undefined && yanked !== false)
  })
}

function filesInHtml(text: string, url: string): Omit<PypiFile, 'authorization'>[] {
  return [...text.matchAll(/<a\s([^>]{1,4000})>\s*([^<]{1,400}?)\s*<\/a>/gi)].flatMap(
    ([, attributes = '', name = '']) => {
      const href = /\bhref\s*=\s*["']([^"']+)["']/i.exec(attributes)?.[1]?.replaceAll('&amp;', '&')
      const [place, sha256] = href?.split('#sha256=') ?? []
      if (place === undefined || sha256 === undefined) return []
      return listed(name, place, url, sha256, /\bdata-yanked\b/i.test(attributes))
    },
  )
}

function listed(
  name: string,
  place: string,
  page: string,
  sha256: string,
  yanked: boolean,
): Omit<PypiFile, 'authorization'>[] {
  const usable = /^[\w.+!-]+$/.test(name) && /^[0-9a-f]{64}$/i.test(sha256) && URL.canParse(place, page)
  return usable ? [{ name, url: new URL(place, page).href, sha256: sha256.toLowerCase(), yanked }] : []
}

function opened(index: string): { base: string; authorization: string | undefined } {
  const url = new URL(index)
  const pair = url.username
    ? `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    : undefined
  url.username = ''
  url.password = ''
  return {
    base: url.href,
    authorization: pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`,
  }
}
