import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfExists } from '#std'
import { type Architecture, type BaseLock, parseLocks } from './lock.ts'
import type { Target } from './lock-base.ts'
import { baseUnknown, recipeMissing, releaseUnknown } from './problems.ts'
import { parseRecipe, type Recipe, readRecipe } from './recipe.ts'

export const DEFAULT_RELEASE = 'trixie'

/** A base that a name stands for. */
export interface NamedBase {
  readonly recipe: Recipe
  readonly release: string
  /** Where the name ends in `-amd64` or `-arm64`. */
  readonly arch?: Architecture
  /** What the image of it is called: `slipway/run:base`, `slipway/run:base-bookworm`. */
  readonly reference: string
  /** The file with its locks, beside the recipe; it need not be there. */
  readonly lockFile: string
}

/** The recipes that are shipped, `<name>.toml` with `<name>.lock.json` beside it in one directory, `-` in the place of `:`. */
export interface Catalog {
  /** Every base with every release of it; tools are left out. */
  list(): Promise<NamedBase[]>
  /** Finds `run:base`, `slipway/run:base`, `run:base-bookworm` or `run:base-bookworm-arm64`. Throws `BASE_UNKNOWN`. */
  find(name: string): Promise<NamedBase>
  /** Whether a name is one of a base of ours, in the form `slipway/…`. */
  has(name: string): Promise<boolean>
  /** The recipe of that very name, tools among them. */
  recipe(name: string): Promise<Recipe>
  /** The lock that is shipped for a recipe, if it has one for that target. */
  lock(recipe: Recipe, target: Target): Promise<BaseLock | undefined>
}

export function openCatalog(directory: string): Catalog {
  const lockFileOf = (name: string) => join(directory, `${stemOf(name)}.lock.json`)
  let listed: Promise<string[]> | undefined
  const read = new Map<string, Promise<Recipe>>()
  /** The recipes of some of the files: a build needs two of them. */
  const recipes = async (wanted: (stem: string) => boolean = () => true): Promise<Recipe[]> => {
    listed ??= readdir(directory).then(files =>
      files
        .filter(file => file.endsWith('.toml'))
        .map(file => file.slice(0, -'.toml'.length))
        .toSorted(),
    )
    return await Promise.all(
      (await listed).filter(wanted).map(stem => {
        const known = read.get(stem) ?? readRecipe(join(directory, `${stem}.toml`))
        read.set(stem, known)
        return known
      }),
    )
  }
  const named = async (wanted?: (stem: string) => boolean): Promise<NamedBase[]> =>
    (await recipes(wanted))
      .filter(({ role }) => role !== 'tool')
      .flatMap(recipe =>
        Object.keys(recipe.releases).map(release => ({
          recipe,
          release,
          reference: `slipway/${referenceOf(recipe, release)}`,
          lockFile: lockFileOf(recipe.name),
        })),
      )
  const lookUp = async (name: string): Promise<NamedBase | undefined> => {
    const wanted = name.startsWith('slipway/') ? name : `slipway/${name}`
    const [, bare = wanted, arch] = /^(.*)-(amd64|arm64)$/.exec(wanted) ?? []
    const stem = stemOf(bare.slice('slipway/'.length))
    const likely = await named(each => stem === each || stem.startsWith(`${each}-`))
    const found = likely.find(
      ({ reference, recipe, release }) => bare === reference || bare === `slipway/${recipe.name}-${release}`,
    )
    return found && { ...found, ...(arch && { arch: arch as Architecture }) }
  }
  return {
    list: () => named(),
    async find(name) {
      const found = await lookUp(name)
      if (found) return found
      throw baseUnknown(
        name,
        (await named()).map(({ reference }) => reference),
      )
    },
    has: async name => name.startsWith('slipway/') && (await lookUp(name)) !== undefined,
    async recipe(name) {
      const found = (await recipes(each => each === stemOf(name))).find(each => each.name === name)
      if (found) return found
      throw baseUnknown(
        name,
        (await recipes()).map(each => each.name),
      )
    },
    lock: async (recipe, target) => lockFor(await readLockFile(lockFileOf(recipe.name)), target),
  }
}

/**
 * A base from a recipe file of the user's own; its lock stands beside it (`shop.toml`, `shop.lock.json`), and its image is
 * called as the recipe says. Without `release`: trixie, or the only release that the recipe has. Throws a `Problem`
 * (`BASE_RECIPE_MISSING`, `BASE_RELEASE_UNKNOWN`, or what is wrong with the recipe).
 */
export async function ownBase(path: string, release?: string): Promise<NamedBase> {
  const text = await readIfExists(path)
  if (text === undefined) throw recipeMissing(path)
  const recipe = parseRecipe(text, path)
  const known = Object.keys(recipe.releases)
  const chosen = release ?? (known.length === 1 ? known[0] : DEFAULT_RELEASE)
  if (chosen === undefined || !Object.hasOwn(recipe.releases, chosen))
    throw releaseUnknown(recipe.name, chosen ?? '', known)
  const lockFile = `${path.replace(/\.toml$/, '')}.lock.json`
  return { recipe, release: chosen, reference: referenceOf(recipe, chosen), lockFile }
}

/** The locks in a file; none where there is no file. */
export async function readLockFile(path: string): Promise<BaseLock[]> {
  const text = await readIfExists(path)
  return text === undefined ? [] : parseLocks(text, path)
}

/** The lock for one target among those of a file. */
export function lockFor(locks: readonly BaseLock[], { release, arch }: Target): BaseLock | undefined {
  return locks.find(lock => lock.release === release && lock.arch === arch)
}

function referenceOf(recipe: Recipe, release: string): string {
  return `${recipe.name}${release === DEFAULT_RELEASE ? '' : `-${release}`}`
}

/** What the files of a recipe are called: `run-base` for `run:base`. */
function stemOf(name: string): string {
  return name.replace(':', '-')
}
