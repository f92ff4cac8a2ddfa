import { byBytes, isSystemError } from '#std'
import type { AssemblyContext } from './assemble.ts'
import type { BaseLock, LockedPackage } from './lock.ts'
import { lockBase, type Target } from './lock-base.ts'
import { lockMissing } from './problems.ts'
import type { Recipe } from './recipe.ts'

/** What pins a base before it is made. */
export interface Known {
  /** Without one, the newest signed packages are chosen. */
  readonly lock?: BaseLock | undefined
  /** Refuse to choose any package. */
  readonly locked?: boolean | undefined
}

/** What was made of a base, and what pins it from now on. */
export interface Ensured<Made> {
  /** To be recorded where the lock that was handed in came from. */
  readonly lock: BaseLock
  /** How `lock` differs from the one that was handed in, a line each as `changesBetween` says it; empty where there was none. */
  readonly changes: readonly string[]
  readonly made: Made
}

/**
 * Makes something (an image, a tree) of exactly what a lock says; without a lock, of the newest signed packages. Where
 * packages of the lock have vanished from everywhere, says which, resolves anew, shows what changed and goes on with that;
 * `locked` refuses both (`BASE_LOCK_MISSING`, `BASE_PACKAGES_VANISHED`).
 */
export async function ensureBase<Made>(
  recipe: Recipe,
  target: Target,
  { lock: pinned, locked }: Known,
  context: AssemblyContext,
  make: (lock: BaseLock) => Promise<Made>,
): Promise<Ensured<Made>> {
  const { report } = context
  if (!pinned) {
    if (locked) throw lockMissing(recipe.name, target.release, target.arch)
    const lock = await lockBase(recipe, target, context)
    return { lock, changes: [], made: await make(lock) }
  }
  try {
    return { lock: pinned, changes: [], made: await make(pinned) }
  } catch (error) {
    if (locked || !isSystemError(error, 'BASE_PACKAGES_VANISHED')) throw error
    report.warn(`${error.message}. Their successors are taken in their place:`)
    const lock = await lockBase(recipe, target, context)
    const changes = changesBetween(pinned, lock)
    for (const change of changes) report.line(`  ${change}`)
    return { lock, changes, made: await make(lock) }
  }
}

/** What differs between two locks, a line each: `openssl 3.5.7-1 -> 3.5.9-1`, `+ NAME VERSION`, `- NAME VERSION`. */
export function changesBetween(before: BaseLock, after: BaseLock): string[] {
  const versions = (packages: readonly LockedPackage[]) =>
    new Map(packages.map(({ name, version, sha256 }) => [name, { version, sha256 }]))
  const [old, fresh] = [versions(before.packages), versions(after.packages)]
  return [...new Set([...old.keys(), ...fresh.keys()])].toSorted(byBytes).flatMap(name => {
    const [from, to] = [old.get(name), fresh.get(name)]
    if (from === undefined) return [`+ ${name} ${to?.version}`]
    if (to === undefined) return [`- ${name} ${from.version}`]
    if (from.version !== to.version) return [`${name} ${from.version} -> ${to.version}`]
    return from.sha256 === to.sha256 ? [] : [`${name} ${from.version} (built anew)`]
  })
}
