import { readFile } from 'node:fs/promises'
import type { DebianPackage } from '#sources'
import { byBytes, javaTruststoreFromPem } from '#std'
import type { RuntimeContext } from './context.ts'
import type { FetchedArtifact, PlannedArtifact } from './recipe.ts'
import type { RuntimeComponent } from './runtime.ts'
import type { Tree, TreeFile } from './tree.ts'
import { type Staging, stage } from './unpack.ts'

const DISTROS: Readonly<Record<string, string>> = { bookworm: 'debian-12', trixie: 'debian-13' }

/** The release of Debian that bases of this distribution stand on, as far as it is known here; else the newest. */
export function releaseOf({ distro, version }: { distro: string; version: string }): string {
  const known = Object.entries(DISTROS).find(([, name]) => name === `${distro}-${version.split('.')[0]}`)
  return known?.[0] ?? 'trixie'
}

/** A package that a plan wants. */
export function plannedDeb(deb: DebianPackage, context: RuntimeContext): PlannedArtifact {
  const { name, version, path, sha256, size, suite } = deb
  const artifact = { source: 'deb' as const, locator: path, name, version, suite }
  return {
    ...artifact,
    fetch: async () => (await context.debs()).fetch({ name, path, sha256, size, suite }),
  }
}

/** The path of a file of a package below the merged file system, where older packages still say `lib/…`; undefined for what no runtime wants. */
export function merged(path: string): string | undefined {
  if (/^usr\/share\/(?:man|lintian|gdb|binfmts)(?:\/|$)|^usr\/lib\/debug(?:\/|$)/.test(path)) return undefined
  return path.replace(/^(s?bin|lib(?:32|64|x32)?)(?=\/|$)/, 'usr/$1')
}

/** A Java truststore (JKS) with the authorities of the package `ca-certificates` among unpacked files. */
export async function debianTruststore(files: Tree, staging: Staging): Promise<TreeFile> {
  return stage(staging, [javaTruststoreFromPem(await authoritiesIn(files), 'ca-certificates')], false)
}

/** Debian's authorities, in the order in which Debian itself concatenates them. */
async function authoritiesIn(files: Tree): Promise<string> {
  const paths = [...files.keys()].filter(path => /^usr\/share\/ca-certificates\/.*\.crt$/.test(path))
  const texts: string[] = []
  for (const path of paths.toSorted(byBytes)) {
    const node = files.get(path)
    if (node?.type === 'file') texts.push(await readFile(node.content, 'utf8'))
  }
  return texts.join('\n')
}

/** A package inside a runtime, for bills of materials. */
export function debianComponent(
  artifact: FetchedArtifact,
  arch: string,
  release: string,
  licenses: readonly string[] = [],
): RuntimeComponent {
  const { name, version } = artifact
  const purl = debianPurl(artifact, arch, release)
  return { type: 'library', name, version, purl, ...(licenses.length > 0 && { licenses }) }
}

/** `pkg:deb/debian/NAME@VERSION?arch=…&distro=…`. */
export function debianPurl(
  { name, version, locator }: FetchedArtifact,
  arch: string,
  release: string,
): string {
  const machine = locator.endsWith('_all.deb') ? 'all' : arch
  return `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${machine}&distro=${DISTROS[release] ?? release}`
}
