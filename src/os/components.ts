import { type Bill, type Component, purl } from '#bom'
import { releasedAt } from './image.ts'
import type { BaseLock } from './lock.ts'
import type { Recipe } from './recipe.ts'

/** The property of a component that says which package asked for it first; `recipe` where the recipe did. */
export const WHY_PROPERTY = 'io.slipway.why'

/** What a base is made of: the operating system itself, and every package. Derived from recipe and lock alone. */
export function componentsOf(recipe: Recipe, lock: BaseLock): Component[] {
  const version = recipe.releases[lock.release]?.version ?? ''
  const system: Component = {
    type: 'operating-system',
    name: 'debian',
    version,
    purl: purl({ type: 'generic', name: 'debian', version }),
    supplier: 'Debian',
  }
  const packages = lock.packages.map(({ name, version: of, arch, source, sha256, why }): Component => {
    const qualifiers = { arch, distro: `debian-${version}`, ...(source && { upstream: source }) }
    return {
      type: 'library',
      name,
      version: of,
      purl: purl({ type: 'deb', namespace: 'debian', name, version: of, qualifiers }),
      hashes: { 'SHA-256': sha256 },
      supplier: 'Debian',
      properties: { [WHY_PROPERTY]: why },
    }
  })
  return [system, ...packages]
}

/** The bill of materials of a base. */
export function billOf(recipe: Recipe, lock: BaseLock): Bill {
  return {
    subject: { type: 'container', name: `slipway/${recipe.name}`, version: lock.release },
    created: releasedAt(lock),
    components: componentsOf(recipe, lock),
  }
}
