import { stat } from 'node:fs/promises'
import { isSystemError, Problem, parseDigest } from '#std'
import type { Artifact } from './artifacts.ts'
import { openIndex, type PackageIndex } from './debian-index.ts'
import type { DebianPackage } from './debian-packages.ts'
import { noMirror, packageRefused, packageVanished } from './debian-problems.ts'
import { credentialsOf, type DebianMirrors } from './debian-settings.ts'
import { compareDebianVersions } from './debian-version.ts'
import { discard, type RegistryAccess, received, untilWhole } from './registry.ts'

/** What is needed to fetch one package that was found before. */
export interface DebianLocator {
  readonly path: string
  readonly sha256: string
  readonly size: number
  readonly suite?: string
  readonly name?: string
}

/** Debian's archive as this machine reaches it. */
export interface DebianArchive {
  /** The newest signed index of a suite (`trixie`, `trixie-updates`, `trixie-security`). */
  index(suite: string, arch: string): Promise<PackageIndex>
  /** All versions of packages in a release with its updates and security fixes, newest first. */
  find(release: string, arch: string, names: readonly string[]): Promise<DebianPackage[]>
  /** The package, from the local store or any mirror that has it. Throws `PACKAGE_VANISHED` if none has. */
  fetch(locator: DebianLocator): Promise<Artifact>
}

export interface DebianOptions {
  readonly mirrors: DebianMirrors
  readonly access: RegistryAccess
  /** Where the newest state of each suite is remembered, so that no mirror can put an older one in its place. */
  readonly home: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly keys?: readonly string[]
}

export function openDebianArchive(options: DebianOptions): DebianArchive {
  const { mirrors, access, home, now, keys } = options
  const indices = new Map<string, Promise<PackageIndex>>()
  const mirrorsOf = (suite: string) => {
    const found = suite.endsWith('-security') ? mirrors.security : mirrors.main
    if (found.length > 0) return found
    throw noMirror()
  }
  const archive: DebianArchive = {
    async index(suite, arch) {
      const key = `${suite} ${arch}`
      const settings = { access, home, now, keys, allowOld: mirrors.allowOld }
      const opened = indices.get(key) ?? openIndex(suite, arch, mirrorsOf(suite), settings)
      indices.set(key, opened)
      opened.catch(() => indices.delete(key))
      return opened
    },
    async find(release, arch, names) {
      const suites = [release, `${release}-updates`, `${release}-security`]
      const found = await Promise.all(
        suites.map(async suite => (await archive.index(suite, arch)).named(names)),
      )
      return found.flat().toSorted((a, b) => compareDebianVersions(b.version, a.version))
    },
    async fetch(locator) {
      const { path, sha256, suite, name = path } = locator
      const digest = parseDigest(`sha256:${sha256}`, `the index entry of ${name}`)
      const known = await access.artifacts.path(digest)
      if (known !== undefined) return { digest, path: known, size: (await stat(known)).size }
      if (!POOL.test(path)) throw packageVanished(name)
      const first = suite?.endsWith('-security') ? mirrors.security : mirrors.main
      const places = new Set([...first, ...mirrors.main, ...mirrors.security, ...mirrors.snapshots])
      if (places.size === 0) throw noMirror()
      return fetchFrom([...places], locator, access)
    },
  }
  return archive
}

const POOL = /^(?!.*\/\.\.?(?:\/|$))pool\/[\w.+~:@/-]+$/

/** The package from the first of several mirrors that has it; one that lies or is down does not speak for the others. */
async function fetchFrom(
  mirrors: readonly string[],
  { path, sha256, size, name = path }: DebianLocator,
  access: RegistryAccess,
): Promise<Artifact> {
  const digest = parseDigest(`sha256:${sha256}`, `the index entry of ${name}`)
  let failure: Problem | undefined
  for (const mirror of mirrors) {
    const { url, authorization } = credentialsOf(mirror)
    try {
      const found = await untilWhole(async () => {
        const { status, body } = await access.get(url + path, { authorization, signal: access.signal })
        if (status === 200)
          return access.artifacts.add(received(body, name, 'the mirror'), { digest, size, name })
        discard(body)
        if (status === 404 || status === 410) return undefined
        throw packageRefused(name, status)
      })
      if (found) return found
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      failure ??= error
    }
  }
  throw failure ?? packageVanished(name)
}

/** True for a failure that means: nobody has it any more. */
export function isVanished(error: unknown): boolean {
  return isSystemError(error, 'PACKAGE_VANISHED')
}
