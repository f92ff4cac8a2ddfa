import { parseJson } from '#std'
import type { Artifact } from './artifacts.ts'
import type { NpmSettings } from './npm-settings.ts'
import { discard, keep, promisedBy, type RegistryAccess, textOf } from './registry.ts'
import { noRegistry, notOffered, registryConfused, registryRefused } from './registry-problems.ts'

/** One published version of an npm package. */
export interface NpmVersion {
  readonly name: string
  readonly version: string
  /** Where the registry says the archive is. */
  readonly tarball: string
  /** Subresource Integrity of the archive, usually `sha512-…`. */
  readonly integrity: string | undefined
  /** SHA-1 of the archive in hex; compared where there is nothing better. */
  readonly shasum: string | undefined
  readonly license: string | undefined
}

/** An npm registry. */
export interface NpmRegistry {
  /** All versions of a package, in the registry's order. Throws a `Problem` where there is no such package. */
  versions(name: string): Promise<NpmVersion[]>
  /** The archive of a version. With a `sha256`, exactly that file, from the local store where it is there. */
  fetch(version: NpmVersion, sha256?: string): Promise<Artifact>
}

const KIND = 'the npm registry'

/** Opens the registry that npm's settings name. Throws a `Problem` (`SOURCE_NO_REGISTRY`) if they name none. */
export function openNpmRegistry(settings: NpmSettings, access: RegistryAccess): NpmRegistry {
  const registryOf = (name: string) => {
    const scope = name.startsWith('@') ? name.slice(0, name.indexOf('/')) : ''
    const registry = settings.scopes.get(scope) ?? settings.registry
    if (registry) return registry
    throw noRegistry('npm', 'Set one with `npm config set registry URL`.')
  }
  return {
    async versions(name) {
      const url = new URL(name.replace('/', '%2f'), registryOf(name)).href
      const { status, body } = await access.get(url, {
        accept: 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8',
        authorization: settings.authorization(url),
        signal: access.signal,
      })
      if (status !== 200) {
        discard(body)
        throw status === 404 ? notOffered(name, KIND) : registryRefused(name, status, KIND)
      }
      return versionsIn(await textOf(body, name, KIND, 64 * 1024 * 1024), name)
    },
    async fetch(version, sha256) {
      const what = `${version.name}@${version.version}`
      const url = tarballUrl(version, registryOf(version.name))
      const promised = { ...promisedBy(version.integrity), ...(version.shasum && { sha1: version.shasum }) }
      if (sha256 === undefined && Object.keys(promised).length === 0) {
        throw registryConfused(what, KIND, 'it promises no digest')
      }
      return keep(access, url, {
        what,
        kind: KIND,
        promised: { ...promised, ...(sha256 !== undefined && { sha256 }) },
        authorization: settings.authorization(url),
      })
    },
  }
}

/** The versions that a package document (full or abbreviated) lists. */
export function versionsIn(text: string, name: string): NpmVersion[] {
  const document = parseJson(text, `what ${KIND} says about ${name}`, 64 * 1024 * 1024)
  const versions = record(record(document)?.versions)
  if (!versions) throw registryConfused(name, KIND, 'there is no list of versions in it')
  return Object.entries(versions).flatMap(([version, about]) => {
    const dist = record(record(about)?.dist)
    const license = record(about)?.license
    if (typeof dist?.tarball !== 'string' || !URL.canParse(dist.tarball)) return []
    return {
      name,
      version,
      tarball: dist.tarball,
      integrity: typeof dist.integrity === 'string' ? dist.integrity : undefined,
      shasum: typeof dist.shasum === 'string' ? dist.shasum : undefined,
      license: typeof license === 'string' ? license : undefined,
    }
  })
}

/**
 * Mirrors often hand on documents that name the first registry's host. The path of an archive is fixed by convention, so
 * an archive on another host is asked for at the configured registry instead, which also keeps credentials at home.
 */
function tarballUrl({ name, version, tarball }: NpmVersion, registry: string): string {
  if (new URL(tarball).host === new URL(registry).host) return tarball
  return new URL(`${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`, registry).href
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}
