import { basename } from 'node:path'
import {
  type Architecture,
  type BaseLock,
  changesBetween,
  misfitOf,
  type NamedBase,
  ownBase,
  printLocks,
  readLockFile,
} from '#os'
import { isSystemError, writeDurably } from '#std'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { type ArchiveOptions, openMachineArchive } from '../machine/machine-archive.ts'
import { lockUnwritable } from '../problems.ts'
import { shippedCatalog } from '../shipped.ts'
import { openStore } from '../store.ts'
import { type BaseImage, type Bases, openBases } from './bases.ts'

/** What a job on bases is handed. */
export type BaseJobOptions = ArchiveOptions

/** Which base is meant: one of a name that `slipway base list` shows, or that of a recipe file. */
export interface WantedBase {
  readonly base: { readonly name: string } | { readonly recipe: string }
  readonly release?: string | undefined
  readonly arch?: Architecture | undefined
}

/** A base in the list. */
export interface ListedBase {
  readonly name: string
  readonly release: string
  readonly summary: string
  /** How many packages its lock names, and when Debian signed the newest state of them; undefined where nothing pins it. */
  readonly locked?: { readonly packages: number; readonly date: string } | undefined
  /** Digest of its image, if that is in the store. */
  readonly image?: string | undefined
}

/** What locking did. */
export interface LockedBase {
  readonly lock: BaseLock
  readonly file: string
  /** What changed since the file was last written, a line each. */
  readonly changes: readonly string[]
  /** True if nothing pinned it before. */
  readonly fresh: boolean
}

/** Every named base, with the lock for this machine's architecture. */
export async function listBases({ home }: Pick<BaseJobOptions, 'home'>): Promise<ListedBase[]> {
  const catalog = shippedCatalog()
  const store = openStore(home)
  const arch = machineArchitecture()
  return Promise.all(
    (await catalog.list()).map(async ({ recipe, release, reference }) => {
      const lock = await catalog.lock(recipe, { release, arch })
      const dates = lock?.suites.map(({ date }) => date).toSorted() ?? []
      const locked = lock && { packages: lock.packages.length, date: (dates.at(-1) ?? '').slice(0, 10) }
      const image = (await store.resolve(reference))?.digest
      return { name: reference, release, summary: recipe.summary, locked, image }
    }),
  )
}

/**
 * Chooses the newest signed packages of a base for each architecture, and writes them into the lock file beside its recipe
 * (or `output`), where locks of other releases and architectures stay. Throws a `Problem` (`BASE_LOCK_UNWRITABLE`, or what
 * resolving throws).
 */
export async function lockBases(
  wanted: WantedBase,
  architectures: readonly Architecture[],
  output: string | undefined,
  options: BaseJobOptions,
): Promise<LockedBase[]> {
  return withBases(options, async bases => {
    const base = await findBase(wanted, bases)
    const file = output ?? base.lockFile
    let locks = await readLockFile(file)
    const done: LockedBase[] = []
    for (const arch of architectures) {
      const newest = await bases.lock(base, arch)
      const isOld = (old: BaseLock) => old.release === newest.release && old.arch === newest.arch
      const old = locks.find(isOld)
      const changes = old ? changesBetween(old, newest) : []
      // Debian signs indices anew every few hours; that alone is no change.
      const lock = old && changes.length === 0 && !misfitOf(base.recipe, old) ? old : newest
      locks = [...locks.filter(each => !isOld(each)), lock]
      done.push({ lock, file, changes, fresh: old === undefined })
    }
    await writeLocks(file, locks)
    return done
  })
}

/** Makes the image of a base, and names it. */
export async function buildBase(
  wanted: WantedBase,
  choice: { readonly newest: boolean; readonly locked: boolean; readonly names: readonly string[] },
  options: BaseJobOptions,
): Promise<BaseImage> {
  return withBases(options, async bases => {
    const base = await findBase(wanted, bases)
    const pin = choice.newest ? 'newest' : 'shipped'
    const names = choice.names.length > 0 ? choice.names : undefined
    return bases.image(base, { arch: wanted.arch, pin, locked: choice.locked }, names)
  })
}

async function withBases<Result>(
  options: BaseJobOptions,
  work: (bases: Bases) => Promise<Result>,
): Promise<Result> {
  const { home, report } = options
  await using sources = openMachineArchive(options)
  const { archive } = sources
  return await work(openBases({ home, store: openStore(home), catalog: shippedCatalog(), archive, report }))
}

async function findBase({ base, release }: WantedBase, bases: Bases): Promise<NamedBase> {
  if ('recipe' in base) return ownBase(base.recipe, release)
  return bases.find(release === undefined ? base.name : `${base.name}-${release}`)
}

async function writeLocks(file: string, locks: readonly BaseLock[]): Promise<void> {
  try {
    await writeDurably(file, printLocks(locks))
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR'))
      throw lockUnwritable(file, basename(file), error)
    throw error
  }
}
