import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, isSystemError, Problem, parseDigest, readIfExists, writeDurably } from '#std'
import type { Artifact } from './artifacts.ts'
import { DEBIAN_KEYS } from './debian-keys.ts'
import {
  noMirror,
  packageVanished,
  suiteDiffers,
  suiteRolledBack,
  suiteUnreachable,
} from './debian-problems.ts'
import { type Release, readInRelease } from './debian-release.ts'
import type { DebianMirrors } from './debian-settings.ts'
import { compareDebianVersions } from './debian-version.ts'
import { type RegistryAccess, textOf } from './registry.ts'
import { unxz } from './unxz.ts'

/** A package as a signed index lists it. */
export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly arch: string
  /** Path in the archive, `pool/main/…`. */
  readonly path: string
  readonly sha256: string
  readonly size: number
  readonly suite: string
  /** All fields of the stanza, by name as written. */
  readonly fields: Readonly<Record<string, string>>
}

/** The packages of one suite and architecture, from an index whose signature and hashes were checked. */
export interface PackageIndex {
  readonly suite: string
  readonly release: Release
  /** sha256 of the Packages file, which names this state of the suite. */
  readonly digest: Digest
  /** Every package of the index. */
  all(): Iterable<DebianPackage>
  /** All versions of the packages of these names. */
  named(names: readonly string[]): DebianPackage[]
}

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
  /** Where the dates of indices are remembered, so that no mirror can show an older state. */
  readonly home: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly keys?: readonly string[]
}

const IN_RELEASE = 1 << 20

export function openDebianArchive(options: DebianOptions): DebianArchive {
  const { mirrors, access } = options
  const indices = new Map<string, Promise<PackageIndex>>()
  const mirrorsOf = (suite: string) => {
    const found = suite.endsWith('-security') ? mirrors.security : mirrors.main
    if (found.length > 0) return found
    throw noMirror()
  }
  const archive: DebianArchive = {
    index(suite, arch) {
      const key = `${suite} ${arch}`
      const opened = indices.get(key) ?? openIndex(suite, arch, mirrorsOf(suite), options)
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
    async fetch({ path, sha256, size, suite, name = path }) {
      const digest = parseDigest(`sha256:${sha256}`, `the index entry of ${name}`)
      const known = await access.artifacts.path(digest)
      if (known !== undefined) return { digest, path: known, size: (await stat(known)).size }
      if (!/^(?:pool|dists)\/[\w.+~:%@/-]+$/.test(path) || path.includes('/../')) throw packageVanished(path)
      const first = suite?.endsWith('-security') ? mirrors.security : mirrors.main
      const places = new Set([...first, ...mirrors.main, ...mirrors.security, ...mirrors.snapshots])
      if (places.size === 0) throw noMirror()
      let last: unknown
      for (const mirror of places) {
        const { url, authorization } = opened(mirror)
        try {
          const { status, body } = await access.get(url + path, { authorization, signal: access.signal })
          if (status === 200) return await access.artifacts.add(body, { digest, size, name })
          body.destroy()
        } catch (error) {
          // One mirror that lies or is down does not speak for the others.
          if (!(error instanceof Problem)) throw error
          last = error
        }
      }
      throw last ?? packageVanished(name)
    },
  }
  return archive
}

async function openIndex(
  suite: string,
  arch: string,
  mirrors: readonly string[],
  options: DebianOptions,
): Promise<PackageIndex> {
  let last: unknown
  for (const mirror of mirrors) {
    try {
      return await indexAt(mirror, suite, arch, options)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      last ??= error
    }
  }
  throw last
}

async function indexAt(
  mirror: string,
  suite: string,
  arch: string,
  options: DebianOptions,
): Promise<PackageIndex> {
  const { access, keys = DEBIAN_KEYS, now } = options
  const { url, authorization } = opened(mirror)
  const at = `${url}dists/${suite}/`
  const { status, body } = await access.get(`${at}InRelease`, { authorization, signal: access.signal })
  if (status !== 200) {
    body.on('error', () => {}).destroy()
    throw suiteUnreachable(suite, `the mirror answered with status ${status}`)
  }
  const release = await readInRelease(await textOf(body, suite, 'the mirror', IN_RELEASE), suite, keys, now())
  await refuseRollback(suite, release, options.home)
  const path = `main/binary-${arch}/Packages.xz`
  const file = release.files.get(path)
  if (!file) throw suiteDiffers(suite, `it does not list ${path}`)
  const { digest, path: packed } = await fetchIndex(at, path, file, release, authorization, access, suite)
  const text = await textOfXz(packed)
  const stanzas = () => stanzasIn(text, suite)
  return {
    suite,
    release,
    digest,
    all: stanzas,
    named: names => names.flatMap(name => stanzasNamed(text, name, suite)),
  }
}

async function fetchIndex(
  at: string,
  path: string,
  { sha256, size }: { sha256: string; size: number },
  release: Release,
  authorization: string | undefined,
  access: RegistryAccess,
  suite: string,
): Promise<Artifact> {
  const digest = parseDigest(`sha256:${sha256}`, `the index of ${suite}`)
  const known = await access.artifacts.path(digest)
  if (known !== undefined) return { digest, path: known, size }
  const byHash = `${path.slice(0, path.lastIndexOf('/'))}/by-hash/SHA256/${sha256}`
  for (const place of release.byHash ? [byHash, path] : [path]) {
    const { status, body } = await access.get(at + place, { authorization, signal: access.signal })
    if (status === 200) return access.artifacts.add(body, { digest, size, name: `the index of ${suite}` })
    body.on('error', () => {}).destroy()
  }
  throw suiteUnreachable(suite, 'the mirror does not have the index that its own InRelease names')
}

/** A state of a suite that is older than one seen before is refused: that is how fixes are kept from people. */
async function refuseRollback(suite: string, { date }: Release, home: string): Promise<void> {
  const file = join(home, 'indices', `${suite.replace(/[^\w.-]/g, '_')}.date`)
  const known = Number(await readIfExists(file)) || 0
  const shown = (seconds: number) => new Date(seconds * 1000).toISOString()
  if (date < known) throw suiteRolledBack(suite, shown(date), shown(known))
  if (date > known) await writeDurably(file, `${date}\n`)
}

async function textOfXz(path: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of unxz(createReadStream(path))) {
    size += chunk.byteLength
    if (size > 512 * 2 ** 20) throw suiteDiffers(path, 'it unpacks to more than 512 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('latin1')
}

function* stanzasIn(text: string, suite: string): Generator<DebianPackage> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n\n', start)
    const end = found < 0 ? text.length : found
    const parsed = packageIn(text.slice(start, end), suite)
    if (parsed) yield parsed
    start = end + 2
  }
}

function stanzasNamed(text: string, name: string, suite: string): DebianPackage[] {
  const found: DebianPackage[] = []
  const line = `Package: ${name}\n`
  for (let at = text.indexOf(line); at >= 0; at = text.indexOf(line, at + line.length)) {
    if (at > 0 && text[at - 1] !== '\n') continue
    const end = text.indexOf('\n\n', at)
    const parsed = packageIn(text.slice(at, end < 0 ? text.length : end), suite)
    if (parsed) found.push(parsed)
  }
  return found
}

function packageIn(stanza: string, suite: string): DebianPackage | undefined {
  const fields: Record<string, string> = Object.create(null)
  let last = ''
  for (const line of Buffer.from(stanza, 'latin1').toString('utf8').split('\n')) {
    const match = /^([\w-]+):[ \t]*(.*)$/.exec(line)
    if (match) {
      last = match[1] ?? ''
      fields[last] = match[2] ?? ''
    } else if (last) fields[last] += `\n${line}`
  }
  const {
    Package: name,
    Version: version,
    Architecture: arch,
    Filename: path,
    SHA256: sha256,
    Size: size,
  } = fields
  if (!name || !version || !arch || !path || !sha256 || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
  return { name, version, arch, path, sha256, size: Number(size), suite, fields }
}

function opened(mirror: string): { url: string; authorization: string | undefined } {
  const url = new URL(mirror)
  const pair = url.username
    ? `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    : undefined
  url.username = ''
  url.password = ''
  const authorization = pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`
  return { url: url.href, authorization }
}

/** True for a failure that means: nobody has it any more. */
export function isVanished(error: unknown): boolean {
  return isSystemError(error, 'PACKAGE_VANISHED')
}
