import { withoutUndefined } from './document.ts'
import { documentInvalid } from './problems.ts'
import type { Distro, Target } from './target.ts'

/** A target without the keys that nobody wrote. */
export function targetFromToml({
  os,
  arch,
  variant,
  distros,
}: {
  os?: string | undefined
  arch?: string | undefined
  variant?: string | undefined
  distros: readonly { name?: string | undefined; version?: string | undefined }[]
}): Target {
  return { ...withoutUndefined({ os, arch, variant }), distros: distros.map(withoutUndefined) } as Target
}

/**
 * Reads a target as commands take it: `[os][/arch][/variant]:[distro@version@version];[distro@version]`, as pack does.
 * Throws a `Problem` (`DOCUMENT_INVALID`).
 */
export function parseTarget(text: string): Target {
  const match = /^([a-z0-9]+)(?:\/([a-z0-9]+))?(?:\/([a-z0-9.]+))?(?::(.+))?$/.exec(text)
  if (!match) {
    throw documentInvalid(
      `the target ${JSON.stringify(text)}`,
      'it has not the form OS/ARCH/VARIANT:DISTRO@VERSION',
      'Name it like linux/amd64 or linux/arm64:debian@13.',
    )
  }
  const [, os, arch, variant, distros = ''] = match
  return targetFromToml({ os, arch, variant, distros: distros.split(';').flatMap(distrosOf) })
}

function distrosOf(text: string): Distro[] {
  const [name = '', ...versions] = text.split('@')
  if (name === '') return []
  return versions.length === 0 ? [{ name }] : versions.map(version => ({ name, version }))
}
