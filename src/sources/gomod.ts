import { Problem } from '#std'
import type { Artifact } from './artifacts.ts'
import { escapeGoPath, lookUpChecksum } from './go-checksums.ts'
import { goDirhash } from './go-dirhash.ts'
import type { GoProxy, GoSettings } from './go-settings.ts'
import { discard, keep, type RegistryAccess, textOf } from './registry.ts'
import {
  contentDiffers,
  noRegistry,
  notOffered,
  registryConfused,
  registryRefused,
} from './registry-problems.ts'

/** A module version, such as `golang.org/toolchain` at `v0.0.1-go1.26.8.linux-amd64`. */
export interface GoModule {
  readonly path: string
  readonly version: string
  /** The `h1:` digest that is expected, where it is known already; then nobody else is asked. */
  readonly h1?: string | undefined
}

/** The zip file of a module version; what is in it has the digest `h1`. */
export interface GoModuleArtifact extends Artifact {
  readonly h1: string
}

/** Where Go modules come from. */
export interface GoModules {
  /**
   * The versions of a module that the first proxy which knows it lists, in its order. Nobody signs such a list; what is fetched by it is checked. Throws a
   * `Problem` (`SOURCE_NO_REGISTRY`, `SOURCE_NOT_FOUND`, `SOURCE_REFUSED`).
   */
  versions(path: string): Promise<readonly string[]>
  /**
   * The zip file of a module version, checked against the digest that is expected, else against the checksum database. Throws a `Problem`
   * (`SOURCE_NO_REGISTRY`, `SOURCE_NOT_FOUND`, `SOURCE_CONTENT_DIFFERS`, `SOURCE_UNVERIFIED`).
   */
  fetch(module: GoModule): Promise<GoModuleArtifact>
}

const KIND = 'the Go module proxy'

/** Opens the proxies that Go's settings name (https://go.dev/ref/mod, "GOPROXY protocol"). */
export function openGoModules(settings: GoSettings, access: RegistryAccess): GoModules {
  return {
    versions: path => listedVersions(path, settings, access),
    async fetch({ path, version, h1 }) {
      const what = `${path}@${version}`
      if (!isModulePath(path) || !/^[\w.+~-]+$/.test(version)) {
        throw registryConfused(what, KIND, 'that is not a module version')
      }
      const wanted = h1 ?? (await wantedDigest(path, version, settings, access))
      const artifact = await fromProxies(path, version, settings, access)
      const got = await goDirhash(artifact.path)
      if (got !== wanted) throw contentDiffers(what, 'h1', wanted, got)
      return { ...artifact, h1: got }
    },
  }
}

function wantedDigest(
  path: string,
  version: string,
  settings: GoSettings,
  access: RegistryAccess,
): Promise<string> {
  if (settings.checksums && !settings.isUnchecked(path)) {
    return lookUpChecksum(path, version, settings.checksums, settings, access)
  }
  throw new Problem('SOURCE_UNVERIFIED', {
    what: `Cannot use ${path}@${version}`,
    why: 'no digest is known for it, and the checksum database of Go is turned off for it',
    fix: 'Unset GOSUMDB, GONOSUMDB and GOPRIVATE for this command, or lock the digest.',
  })
}

function isModulePath(path: string): boolean {
  return /^[\w.~/-]+$/.test(path) && !path.split('/').includes('..')
}

/** The proxies that may be asked for a module; there is at least one. */
function proxiesFor(path: string, settings: GoSettings): readonly GoProxy[] {
  if (settings.proxies.length === 0) {
    throw noRegistry('a Go module proxy', 'Set one with `go env -w GOPROXY=URL`, or in the variable GOPROXY.')
  }
  if (settings.isPrivate(path)) {
    throw noRegistry(`a Go module proxy (${path} is private)`, 'Take it out of GOPRIVATE or GONOPROXY.')
  }
  return settings.proxies
}

async function listedVersions(
  path: string,
  settings: GoSettings,
  access: RegistryAccess,
): Promise<readonly string[]> {
  const what = `the versions of ${path}`
  if (!isModulePath(path)) throw registryConfused(what, KIND, 'that is not a module path')
  let last: Problem | undefined
  for (const { url, authorization, forgiving } of proxiesFor(path, settings)) {
    const { status, body } = await access.get(`${url}/${escapeGoPath(path)}/@v/list`, {
      authorization,
      signal: access.signal,
    })
    if (status === 200)
      return (await textOf(body, what, KIND, 4 << 20)).split(/\s+/).filter(version => version !== '')
    discard(body)
    last = status === 404 || status === 410 ? notOffered(what, KIND) : registryRefused(what, status, KIND)
    if (!forgiving && last.code !== 'SOURCE_NOT_FOUND') break
  }
  throw last ?? notOffered(what, KIND)
}

async function fromProxies(
  path: string,
  version: string,
  settings: GoSettings,
  access: RegistryAccess,
): Promise<Artifact> {
  const what = `${path}@${version}`
  const file = `${escapeGoPath(path)}/@v/${escapeGoPath(version)}.zip`
  for (const proxy of proxiesFor(path, settings)) {
    const found = await fromProxy(proxy, file, what, access)
    if (found) return found
  }
  throw notOffered(what, KIND)
}

/** `undefined` where the next proxy is to be asked. */
async function fromProxy(
  { url, authorization, forgiving }: GoProxy,
  file: string,
  what: string,
  access: RegistryAccess,
): Promise<Artifact | undefined> {
  try {
    return await keep(access, `${url}/${file}`, { what, kind: KIND, promised: {}, authorization })
  } catch (error) {
    if (forgiving || (error instanceof Problem && error.code === 'SOURCE_NOT_FOUND')) return undefined
    throw error
  }
}
