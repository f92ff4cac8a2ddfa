import { isSystemError } from '#std'
import type { Artifact } from './artifacts.ts'
import type { MavenRepository } from './maven-settings.ts'
import { discard, keep, type Promised, type RegistryAccess, textOf } from './registry.ts'
import { noRegistry, notOffered, registryConfused, registryRefused } from './registry-problems.ts'
import { elements, parseXml } from './xml.ts'

/** What names a file in a Maven repository. */
export interface MavenCoordinates {
  readonly group: string
  readonly artifact: string
  readonly version: string
  readonly classifier?: string
  /** `jar`, `tar.gz`, `zip`, … */
  readonly extension: string
}

/** The Maven repositories of this machine, asked in order. */
export interface MavenRepositories {
  /** All released versions, in the order of the repositories' metadata, each once. */
  versions(group: string, artifact: string): Promise<string[]>
  /** The file. With a `sha256`, exactly that one, from the local store where it is there. */
  fetch(coordinates: MavenCoordinates, sha256?: string): Promise<Artifact>
  /** The file at a path as `mavenPath` makes them, with the sha256 that a lock names. */
  fetchPath(path: string, sha256: string): Promise<Artifact>
}

const KIND = 'the Maven repository'
const CHECKSUMS = { sha512: 128, sha256: 64, sha1: 40 } as const

/** The path of a file in a repository: `org/acme/tool/1.0/tool-1.0-bin.tar.gz`. */
export function mavenPath({ group, artifact, version, classifier, extension }: MavenCoordinates): string {
  for (const part of [group, artifact, version, classifier ?? 'x', extension]) {
    if (!/^[A-Za-z0-9_][\w.+-]*$/.test(part) || part.includes('..')) {
      throw notOffered(`${group}:${artifact}:${version}`.slice(0, 200), 'no Maven repository can, and')
    }
  }
  const name = [artifact, version, ...(classifier ? [classifier] : [])].join('-')
  return `${group.replaceAll('.', '/')}/${artifact}/${version}/${name}.${extension}`
}

/** Opens the repositories that Maven's settings name. Using them throws a `Problem` where there are none. */
export function openMavenRepositories(
  repositories: readonly MavenRepository[],
  access: RegistryAccess,
): MavenRepositories {
  const all = () => {
    if (repositories.length > 0) return repositories
    throw noRegistry(
      'Maven',
      'Set SLIPWAY_MAVEN_MIRROR to the URL of a repository, or name one in ~/.m2/settings.xml.',
    )
  }
  /** The text of a small file, or `undefined` where the repository does not have it. */
  const small = async (repository: MavenRepository, path: string): Promise<string | undefined> => {
    const { status, body } = await access.get(repository.url + path, {
      authorization: repository.authorization,
      signal: access.signal,
    })
    if (status === 200) return textOf(body, path, KIND, 8 * 1024 * 1024)
    discard(body)
    if (status === 404 || status === 410) return undefined
    throw registryRefused(path, status, `${KIND} "${repository.id}"`)
  }
  const promisedAt = async (repository: MavenRepository, path: string): Promise<Promised | undefined> => {
    for (const [algorithm, length] of Object.entries(CHECKSUMS)) {
      const text = await small(repository, `${path}.${algorithm}`)
      const hex = text?.trim().split(/\s+/)[0]?.toLowerCase()
      if (hex && hex.length === length && /^[0-9a-f]+$/.test(hex)) return { [algorithm]: hex }
    }
    return undefined
  }
  const fetched = async (path: string, what: string, sha256: string | undefined): Promise<Artifact> => {
    for (const repository of all()) {
      const promised = sha256 === undefined ? await promisedAt(repository, path) : { sha256 }
      if (!promised) continue
      try {
        const options = { what, kind: KIND, promised, authorization: repository.authorization }
        return await keep(access, repository.url + path, options)
      } catch (error) {
        if (!isSystemError(error, 'SOURCE_NOT_FOUND')) throw error
      }
    }
    throw notOffered(what, KIND)
  }
  return {
    async versions(group, artifact) {
      const path = mavenPath({ group, artifact, version: '0', extension: 'x' })
        .split('/')
        .slice(0, -2)
        .join('/')
      const found = new Set<string>()
      for (const repository of all()) {
        const text = await small(repository, `${path}/maven-metadata.xml`)
        for (const version of text === undefined ? [] : mavenVersionsIn(text, `${group}:${artifact}`))
          found.add(version)
      }
      if (found.size === 0) throw notOffered(`${group}:${artifact}`, KIND)
      return [...found]
    },
    async fetch(coordinates, sha256) {
      const what = `${coordinates.group}:${coordinates.artifact}:${coordinates.version}`
      return fetched(mavenPath(coordinates), what, sha256)
    },
    async fetchPath(path, sha256) {
      const parts = path.split('/')
      if (parts.length < 4 || !parts.every(part => /^[A-Za-z0-9_][\w.+-]*$/.test(part)))
        throw notOffered(path, KIND)
      return fetched(path, path, sha256)
    },
  }
}

/** The versions that a `maven-metadata.xml` lists, snapshots left out. */
export function mavenVersionsIn(text: string, what: string): string[] {
  const metadata = parseXml(text, `what ${KIND} says about ${what}`)
  if (metadata.name !== 'metadata') throw registryConfused(what, KIND, 'it is not Maven metadata')
  return elements(metadata, 'versioning', 'versions', 'version')
    .map(({ text: version }) => version)
    .filter(version => /^[A-Za-z0-9_][\w.+-]*$/.test(version) && !version.endsWith('-SNAPSHOT'))
}
