import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfExists } from '#std'
import { type Architecture, type BaseLock, parseLocks } from './lock.ts'
import type { Target } from './lock-base.ts'
import { baseUnknown } from './problems.ts'
import { type Recipe, readRecipe } from './recipe.ts'

export const DEFAULT_RELEASE = 'trixie'

/** A base that a name stands for. */
export interface NamedBase {
  readonly recipe: Recipe
  readonly release: string
  /** Where the name ends in `-amd64` or `-arm64`. */
  readonly arch?: Architecture
  /** What the image of it is called: `slipway/run:base`, `slipway/run:base-bookworm`. */
  readonly reference: string
}

/** The recipes that are shipped, `<name>.toml` with `<name>.lock.json` beside it in one directory. */
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
  const fileOf = (name: string) => join(directory, `${name.replace(':', '-')}.lock.json`)
  let read: Promise<Recipe[]> | undefined
  const recipes = () => {
    read ??= readdir(directory).then(files =>
      Promise.all(
        files
          .filter(file => file.endsWith('.toml'))
          .toSorted()
          .map(file => readRecipe(join(directory, file))),
      ),
    )
    return read
  }
  const named = async (): Promise<NamedBase[]> =>
    (await recipes())
      .filter(({ role }) => role !== 'tool')
      .flatMap(recipe =>
        Object.keys(recipe.releases).map(release => ({
          recipe,
          release,
          reference: `slipway/${recipe.name}${release === DEFAULT_RELEASE ? '' : `-${release}`}`,
        })),
      )
  const lookUp = async (name: string): Promise<NamedBase | undefined> => {
    const wanted = name.startsWith('slipway/') ? name : `slipway/${name}`
    const [, bare = wanted, arch] = /^(.*)-(amd64|arm64)$/.exec(wanted) ?? []
    const found = (await named()).find(
      ({ reference, recipe, release }) => bare === reference || bare === `slipway/${recipe.name}-${release}`,
    )
    return found && { ...found, ...(arch && { arch: arch as Architecture }) }
  }
  return {
    list: named,
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
      const found = (await recipes()).find(each => each.name === name)
      if (found) return found
      throw baseUnknown(
        name,
        (await recipes()).map(each => each.name),
      )
    },
    async lock(recipe, { release, arch }) {
      const path = fileOf(recipe.name)
      const text = await readIfExists(path)
      if (text === undefined) return undefined
      return parseLocks(text, path).find(lock => lock.release === release && lock.arch === arch)
    },
  }
}
