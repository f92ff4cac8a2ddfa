import * as v from 'valibot'
import { check, type Digest, digestOf, parseJson, printJson } from '#std'
import type { Recipe } from './recipe.ts'

export type Architecture = 'amd64' | 'arm64'

/** The state of a suite from which packages were chosen. */
export interface LockedSuite {
  readonly suite: string
  /** When Debian signed it, ISO 8601. */
  readonly date: string
  /** sha256 of the index of packages. */
  readonly index: string
  /** Fingerprints of the keys that signed it. */
  readonly signers: readonly string[]
}

/** One package, and no other bytes than these. */
export interface LockedPackage {
  readonly name: string
  readonly version: string
  /** `amd64`, `arm64` or `all`. */
  readonly arch: string
  readonly sha256: string
  readonly size: number
  /** Path in the archive; never a host. */
  readonly path: string
  readonly suite: string
  /** The source package, where it is called otherwise. */
  readonly source?: string
  /** The package that asked for it first; `recipe` where the recipe did. */
  readonly why: string
}

/** Exactly what a base is made of: one recipe, one release, one architecture. */
export interface BaseLock {
  readonly name: string
  readonly release: string
  readonly arch: Architecture
  readonly suites: readonly LockedSuite[]
  /** Sorted by name. */
  readonly packages: readonly LockedPackage[]
  /** Dependencies that the recipe leaves out on purpose, with the packages that name them. */
  readonly excluded: Readonly<Record<string, readonly string[]>>
}

const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex'))
const NAME = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.+-]*$/, 'must be a package name'))
const lockedPackage = v.strictObject({
  name: NAME,
  version: v.pipe(v.string(), v.regex(/^[\w.+~:-]+$/, 'must be a version')),
  arch: v.picklist(['amd64', 'arm64', 'all']),
  sha256: hex,
  size: v.pipe(v.number(), v.integer(), v.minValue(0)),
  path: v.pipe(
    v.string(),
    v.regex(/^(?!.*\/\.\.?(?:\/|$))pool\/[\w.+~:@/-]+\.deb$/, 'must be a path below pool/'),
  ),
  suite: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be the name of a suite')),
  source: v.optional(NAME),
  why: NAME,
})

/** For documents that hold locks of bases, such as `slipway.lock`. */
export const baseLockSchema = v.strictObject({
  name: v.string(),
  release: v.pipe(v.string(), v.regex(/^[a-z]+$/, 'must be a code name')),
  arch: v.picklist(['amd64', 'arm64']),
  suites: v.array(
    v.strictObject({
      suite: v.string(),
      date: v.pipe(v.string(), v.isoTimestamp()),
      index: hex,
      signers: v.array(v.string()),
    }),
  ),
  packages: v.array(lockedPackage),
  excluded: v.record(v.string(), v.array(v.string())),
})

const file = v.strictObject({ version: v.literal(1), locks: v.array(baseLockSchema) })

/** Reads a lock file: the locks of one recipe for its releases and architectures. */
export function parseLocks(text: string, source: string): BaseLock[] {
  return check(file, parseJson(text, source), source, text).locks as BaseLock[]
}

/** Prints a lock file; equal locks give equal bytes. */
export function printLocks(locks: readonly BaseLock[]): string {
  const key = ({ release, arch }: BaseLock) => `${release} ${arch}`
  return printJson({ version: 1, locks: locks.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) })
}

/** Names what a lock says; equal digests are equal bases. */
export function lockDigest(lock: BaseLock): Digest {
  return digestOf(printJson(lock))
}

/**
 * Why a lock is not one of a recipe, in words; undefined where it is. A recipe that was changed after it was locked would
 * otherwise be built as it was before.
 */
export function misfitOf(recipe: Recipe, lock: BaseLock): string | undefined {
  if (lock.name !== recipe.name) return `it is of ${lock.name}`
  const release = recipe.releases[lock.release]
  if (!release) return `the recipe has no release ${lock.release}`
  const locked = new Set(lock.packages.map(({ name }) => name))
  const missing = [...recipe.packages, ...release.packages].filter(name => !locked.has(name))
  if (missing.length > 0) return `${missing.join(', ')} not in it`
  const unwanted = [...recipe.exclude, ...release.exclude].filter(name => locked.has(name))
  return unwanted.length > 0 ? `${unwanted.join(', ')} in it, and excluded by the recipe` : undefined
}
