import type { LayoutStore, StoredImage } from '#oci'
import {
  type Architecture,
  type AssemblyContext,
  type BaseLock,
  type BaseSettings,
  baseKey,
  type Catalog,
  ensureBase,
  lockBase,
  lockFor,
  lockStale,
  misfitOf,
  type NamedBase,
  openBase,
  type Recipe,
  readLockFile,
  settingsOf,
  storeBase,
  type Target,
} from '#os'
import type { DebianArchive } from '#sources'
import type { Report } from '#std'
import { machineArchitecture } from '../machine/machine-architecture.ts'

/** What bases are made with. */
export interface BasesOptions {
  /** The state directory of slipway. */
  readonly home: string
  readonly store: LayoutStore
  readonly catalog: Catalog
  /** Debian's archive; asked for only when something has to be fetched. `openMachineSources` has it. */
  readonly archive: () => Promise<DebianArchive>
  readonly report: Report
}

/** Which of the states of a base is made. */
export interface BaseChoice {
  /** Default: what its name says, else this machine's. */
  readonly arch?: Architecture | undefined
  /** Exactly these packages, such as those that `slipway.lock` has. */
  readonly lock?: BaseLock | undefined
  /** Where no lock is given: those of the lock beside the recipe, if there is one (default), or the newest signed ones. */
  readonly pin?: 'shipped' | 'newest' | undefined
  /** Refuse to choose any package anew (`BASE_LOCK_MISSING`, `BASE_PACKAGES_VANISHED`). */
  readonly locked?: boolean | undefined
}

/** A base that was made. */
export interface MadeBase {
  /** `slipway/run:base`, `slipway/run:base-bookworm`; with `-arm64` or `-amd64` where that is not this machine's. */
  readonly reference: string
  readonly recipe: Recipe
  /** What pins it: to be recorded in `slipway.lock`. */
  readonly lock: BaseLock
  /** How `lock` differs from the lock that was given, a line each; empty unless packages of it had vanished. */
  readonly changes: readonly string[]
}

export interface BaseImage extends MadeBase {
  readonly image: StoredImage
}

export interface BaseRoot extends MadeBase {
  /** A directory below `<home>/trees` to be the read-only root of sandboxes. */
  readonly directory: string
  /** User, environment and labels, as its image would have them. */
  readonly settings: BaseSettings
}

/** The bases of this machine: named ones are made on demand, from recipe and lock, and only once. */
export interface Bases {
  /** A name such as `run:base`, or a recipe of the caller's own. Throws `BASE_UNKNOWN`. */
  find(name: string): Promise<NamedBase>
  /** Its image in the store, under `names`; by default under its reference. */
  image(base: NamedBase, choice?: BaseChoice, names?: readonly string[]): Promise<BaseImage>
  /** Its files as a directory. */
  root(base: NamedBase, choice?: BaseChoice): Promise<BaseRoot>
  /** Chooses the newest signed packages and checks that no script of theirs is unknown. Nothing is assembled. */
  lock(base: NamedBase, arch?: Architecture): Promise<BaseLock>
}

/** The lock in the file beside a recipe. Throws `BASE_LOCK_STALE` if the recipe was changed since. */
async function lockBeside({ recipe, lockFile }: NamedBase, target: Target): Promise<BaseLock | undefined> {
  const lock = lockFor(await readLockFile(lockFile), target)
  const why = lock && misfitOf(recipe, lock)
  if (why) throw lockStale(recipe.name, why, lockFile)
  return lock
}

/** Opens the bases. */
export function openBases({ home, store, catalog, archive, report }: BasesOptions): Bases {
  const lazily: DebianArchive = {
    index: async (...asked) => (await archive()).index(...asked),
    find: async (...asked) => (await archive()).find(...asked),
    fetch: async locator => (await archive()).fetch(locator),
  }
  const context: AssemblyContext = { home, archive: lazily, report }
  const targetOf = (base: NamedBase, arch = base.arch ?? machineArchitecture()) => ({
    release: base.release,
    arch,
  })
  const referenceOf = (base: NamedBase, arch: Architecture) =>
    arch === machineArchitecture() ? base.reference : `${base.reference}-${arch}`
  const ensure = async <Made>(
    base: NamedBase,
    choice: BaseChoice,
    make: (lock: BaseLock, reference: string) => Promise<Made>,
  ) => {
    const { recipe } = base
    const target = targetOf(base, choice.arch)
    const pinned = choice.lock ?? (choice.pin === 'newest' ? undefined : await lockBeside(base, target))
    const known = { lock: pinned, locked: choice.locked }
    const reference = referenceOf(base, target.arch)
    const ensured = await ensureBase(recipe, target, known, context, lock => make(lock, reference))
    const { lock, changes, made } = ensured
    return { base: { reference, recipe, lock, changes }, made }
  }
  return {
    find: name => catalog.find(name),
    async image(base, choice = {}, names) {
      const made = await ensure(base, choice, (lock, reference) =>
        storeBase(base.recipe, lock, store, names ?? [reference], context),
      )
      return { ...made.base, image: made.made }
    },
    async root(base, choice = {}) {
      const { base: found, made } = await ensure(base, choice, lock => openBase(base.recipe, lock, context))
      const { recipe, lock } = found
      return { ...found, directory: made, settings: settingsOf(recipe, lock, baseKey(recipe, lock)) }
    },
    lock: (base, arch) => lockBase(base.recipe, targetOf(base, arch), context),
  }
}
