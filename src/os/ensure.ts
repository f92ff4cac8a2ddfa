import { isSystemError } from '#std'
import { type Assembled, type AssemblyContext, assembleBase } from './assemble.ts'
import type { BaseLock, LockedPackage } from './lock.ts'
import { lockBase, type Target } from './lock-base.ts'
import { lockMissing } from './problems.ts'
import type { Recipe } from './recipe.ts'

/** A base that can be made, and what pins it from now on. */
export interface Ensured {
  readonly lock: BaseLock
  readonly assembled: Assembled
}

/**
 * Assembles exactly what a lock says; without a lock, the newest signed packages. Where packages of the lock have
 * vanished from everywhere, says which, resolves anew, shows what changed and goes on with that; `locked` refuses both
 * (`BASE_LOCK_MISSING`, `BASE_PACKAGES_VANISHED`).
 */
export async function ensureBase(
  recipe: Recipe,
  target: Target,
  known: { readonly lock?: BaseLock | undefined; readonly locked?: boolean | undefined },
  context: AssemblyContext,
): Promise<Ensured> {
  const { report } = context
  if (!known.lock) {
    if (known.locked) throw lockMissing(recipe.name, target.release, target.arch)
    const lock = await lockBase(recipe, target, context)
    return { lock, assembled: await assembleBase(recipe, lock, context) }
  }
  try {
    return { lock: known.lock, assembled: await assembleBase(recipe, known.lock, context) }
  } catch (error) {
    if (known.locked || !isSystemError(error, 'BASE_PACKAGES_VANISHED')) throw error
    report.warn(`${error.message}. Newer ones are chosen in their place:`)
    const lock = await lockBase(recipe, target, context)
    for (const change of changesBetween(known.lock, lock)) report.line(`  ${change}`)
    return { lock, assembled: await assembleBase(recipe, lock, context) }
  }
}

/** What differs between two locks, a line each: `openssl 3.5.7-1 -> 3.5.9-1`, `+ NAME VERSION`, `- NAME VERSION`. */
export function changesBetween(before: BaseLock, after: BaseLock): string[] {
  const versions = (packages: readonly LockedPackage[]) =>
    new Map(packages.map(({ name, version }) => [name, version]))
  const [old, fresh] = [versions(before.packages), versions(after.packages)]
  return [...new Set([...old.keys(), ...fresh.keys()])].toSorted().flatMap(name => {
    const [from, to] = [old.get(name), fresh.get(name)]
    if (from === to) return []
    if (from === undefined) return [`+ ${name} ${to}`]
    return to === undefined ? [`- ${name} ${from}`] : [`${name} ${from} -> ${to}`]
  })
}
