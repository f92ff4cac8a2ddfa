import type { DebianArchive } from '#sources'
import type { Report } from '#std'
import { fetchPackages } from './fetch.ts'
import type { Architecture, BaseLock } from './lock.ts'
import { releaseUnknown } from './problems.ts'
import type { Recipe } from './recipe.ts'
import { resolvePackages } from './resolve.ts'
import { refuseUnknownScripts } from './scripts.ts'

/** What is to be pinned. */
export interface Target {
  readonly release: string
  readonly arch: Architecture
}

/**
 * Chooses the packages of a recipe from the newest signed indices, fetches them and pins them. Throws a `Problem` where they
 * do not fit together, or where one has a maintainer script that slipway has no replacement for (`BASE_SCRIPT_UNKNOWN`).
 */
export async function lockBase(
  recipe: Recipe,
  { release, arch }: Target,
  { archive, report }: { readonly archive: DebianArchive; readonly report: Report },
): Promise<BaseLock> {
  const found = recipe.releases[release]
  if (!found) throw releaseUnknown(recipe.name, release, Object.keys(recipe.releases))
  const resolved = await resolvePackages(archive, {
    name: recipe.name,
    release,
    suites: found.suites,
    arch,
    packages: [...recipe.packages, ...found.packages],
    exclude: [...recipe.exclude, ...found.exclude],
    choose: recipe.choose,
  })
  const lock: BaseLock = { name: recipe.name, release, arch, ...resolved }
  const artifacts = await fetchPackages(recipe.name, lock.packages, archive, report)
  await refuseUnknownScripts(
    recipe.name,
    lock.packages.map(({ name }, index) => ({ name, path: artifacts[index]?.path as string })),
  )
  return lock
}
