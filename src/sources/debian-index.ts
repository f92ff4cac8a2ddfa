import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { type Digest, isSystemError, Problem, parseDigest, readIfExists, writeDurably } from '#std'
import type { Artifact } from './artifacts.ts'
import { DEBIAN_KEYS } from './debian-keys.ts'
import { type DebianPackage, stanzasIn, stanzasNamed } from './debian-packages.ts'
import { suiteDiffers, suiteRolledBack, suiteUnreachable } from './debian-problems.ts'
import { type Release, readInRelease } from './debian-release.ts'
import { credentialsOf } from './debian-settings.ts'
import { discard, type RegistryAccess, received, textOf, untilWhole } from './registry.ts'
import { unxz } from './unxz.ts'

/** The packages of one suite and architecture, from an index whose signature and hashes were checked. */
export interface PackageIndex {
  readonly suite: string
  readonly release: Release
  /** sha256 of the compressed Packages file, which names this state of the suite. Known before that file is fetched. */
  readonly digest: Digest
  /** Every package of the index, fetched and compared with `digest` first. */
  all(): Promise<Iterable<DebianPackage>>
  /** All versions of the packages of these names. */
  named(names: readonly string[]): Promise<DebianPackage[]>
}

/** What opening an index takes. */
export interface IndexOptions {
  readonly access: RegistryAccess
  /** Where the newest state of each suite is remembered, so that no mirror can put an older one in its place. */
  readonly home: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly keys?: readonly string[] | undefined
  readonly allowOld?: boolean | undefined
}

const IN_RELEASE = 1 << 20

/** The newest index of a suite from the first mirror that has one that can be trusted; else the first mirror's failure. */
export async function openIndex(
  suite: string,
  arch: string,
  mirrors: readonly string[],
  options: IndexOptions,
): Promise<PackageIndex> {
  let first: unknown
  for (const mirror of mirrors) {
    try {
      return await indexAt(mirror, suite, arch, options)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      first ??= error
    }
  }
  throw first
}

async function indexAt(
  mirror: string,
  suite: string,
  arch: string,
  options: IndexOptions,
): Promise<PackageIndex> {
  const { access, keys = DEBIAN_KEYS, now, allowOld = false } = options
  const { url, authorization } = credentialsOf(mirror)
  const at = `${url}dists/${suite}/`
  const signed = await untilWhole(async () => {
    const { status, body } = await access.get(`${at}InRelease`, { authorization, signal: access.signal })
    if (status === 200) return textOf(body, `the index of ${suite}`, 'the mirror', IN_RELEASE)
    discard(body)
    throw suiteUnreachable(suite, `the mirror answered with status ${status}`)
  })
  const offered = await readInRelease(signed, suite, keys, now(), { allowOld })
  const kept = allowOld ? undefined : await newerSeen(suite, offered, options)
  if (!kept && !allowOld) await remember(suite, signed, options.home)
  const release = kept ?? offered
  const path = `main/binary-${arch}/Packages.xz`
  const file = release.files.get(path)
  if (!file) throw suiteDiffers(suite, `it does not list ${path}`)
  const digest = parseDigest(`sha256:${file.sha256}`, `the index of ${suite}`)
  const places = [...(release.byHash ? [`main/binary-${arch}/by-hash/SHA256/${file.sha256}`] : []), path].map(
    place => at + place,
  )
  let loaded: Promise<Buffer> | undefined
  const text = () => {
    loaded ??= fetchIndex(places, digest, file.size, authorization, access, suite)
      .catch(error => {
        if (kept && error instanceof Problem) throw suiteRolledBack(suite, shown(offered), shown(kept))
        throw error
      })
      .then(index => unpacked(index, suite))
    loaded.catch(() => {
      loaded = undefined
    })
    return loaded
  }
  return {
    suite,
    release,
    digest,
    all: async () => stanzasIn(await text(), suite),
    named: async names => {
      const bytes = await text()
      return names.flatMap(name => stanzasNamed(bytes, name, suite))
    },
  }
}

async function fetchIndex(
  places: readonly string[],
  digest: Digest,
  size: number,
  authorization: string | undefined,
  access: RegistryAccess,
  suite: string,
): Promise<Artifact> {
  const known = await access.artifacts.path(digest)
  if (known !== undefined) return { digest, path: known, size }
  const name = `the index of ${suite}`
  for (const place of places) {
    const found = await untilWhole(async () => {
      const { status, body } = await access.get(place, { authorization, signal: access.signal })
      if (status === 200)
        return access.artifacts.add(received(body, name, 'the mirror'), { digest, size, name })
      discard(body)
      return undefined
    })
    if (found) return found
  }
  throw suiteUnreachable(suite, 'the mirror does not have the index that its own InRelease names')
}

/**
 * The state of a suite that was seen before, if it is newer than what a mirror offers. Mirrors behind one name are not always of one day, so an older state is no
 * failure; it is not used either, for that is how fixes are kept from people.
 */
async function newerSeen(
  suite: string,
  offered: Release,
  { home, keys = DEBIAN_KEYS, now }: IndexOptions,
): Promise<Release | undefined> {
  const signed = await readIfExists(rememberedAt(suite, home))
  if (signed === undefined) return undefined
  try {
    const seen = await readInRelease(signed, suite, keys, now())
    return seen.date > offered.date ? seen : undefined
  } catch (error) {
    // Out of date by now, or damaged: then it says nothing.
    if (error instanceof Problem) return undefined
    throw error
  }
}

async function remember(suite: string, signed: string, home: string): Promise<void> {
  const path = rememberedAt(suite, home)
  if ((await readIfExists(path)) !== signed) await writeDurably(path, signed)
}

function rememberedAt(suite: string, home: string): string {
  return join(home, 'indices', `${suite.replace(/[^\w.-]/g, '_')}.InRelease`)
}

function shown({ date }: Release): string {
  return new Date(date * 1000).toISOString()
}

const LIMIT = 512 * 2 ** 20

/** The text of an index. */
async function unpacked({ path }: Artifact, suite: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of unxz(createReadStream(path))) {
      size += chunk.byteLength
      if (size > LIMIT) throw suiteDiffers(suite, `it unpacks to more than ${LIMIT} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Problem || isSystemError(error, 'ENOENT', 'EIO', 'EMFILE')) throw error
    throw suiteDiffers(suite, error instanceof Error ? error.message : String(error))
  }
  return Buffer.concat(chunks, size)
}
