import type { BaseLock } from './lock.ts'
import type { Recipe } from './recipe.ts'

/** A package of a base, for bills of materials. */
export interface BaseComponent {
  readonly type: 'library' | 'operating-system'
  readonly name: string
  readonly version: string
  /** `pkg:deb/debian/NAME@VERSION?arch=…&distro=debian-13`. */
  readonly purl: string
  readonly sha256?: string
  /** The package that asked for it first. */
  readonly why?: string
}

/** What a base is made of: the operating system itself, and every package. */
export function componentsOf(recipe: Recipe, lock: BaseLock): BaseComponent[] {
  const version = recipe.releases[lock.release]?.version ?? ''
  const distro = `debian-${version}`
  const system: BaseComponent = {
    type: 'operating-system',
    name: 'debian',
    version,
    purl: `pkg:generic/debian@${version}`,
  }
  const packages = lock.packages.map(({ name, version: of, arch, source, sha256, why }): BaseComponent => {
    const qualifiers = [
      `arch=${arch}`,
      `distro=${distro}`,
      ...(source ? [`upstream=${encodeURIComponent(source)}`] : []),
    ]
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(of)}?${qualifiers.join('&')}`
    return { type: 'library', name, version: of, purl, sha256, why }
  })
  return [system, ...packages]
}
