import { debianJava } from './debian-java.ts'
import { packagedJre } from './packaged-jre.ts'
import { noKitHere, unknownVersion } from './problems.ts'
import type { Recipe } from './recipe.ts'
import type { RuntimeRequest } from './runtime.ts'
import { versionPrefix } from './versions.ts'

/** Which Debian release has which line of OpenJDK. */
const RELEASES: Readonly<Record<string, string>> = { '17': 'bookworm', '21': 'trixie', '25': 'trixie' }

/**
 * The recipe for a `jdk` or `jre`. Debian's builds where the base can carry them; on older bases a packaged JRE for the
 * newer lines, and no JDK (a `Problem` that says so).
 */
export function javaRecipe(request: RuntimeRequest): Recipe {
  const kit = request.name === 'jdk'
  const { distro, version } = request.base
  const modern = distro === 'debian' && Number.parseInt(version, 10) >= 13
  const line = versionPrefix(request.name, request.version).split('.')[0] || (modern || !kit ? '21' : '17')
  const release = RELEASES[line]
  if (release === undefined)
    throw unknownVersion(request.name, request.version, Object.keys(RELEASES).join(', '))
  if (modern || release === 'bookworm') return debianJava(kit, line, release)
  if (kit) throw noKitHere(line, `${distro} ${version}`)
  return packagedJre
}
