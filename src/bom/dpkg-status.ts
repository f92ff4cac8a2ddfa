import type { Component } from './component.ts'
import { purl } from './purl.ts'

/**
 * The installed packages that dpkg's records list (`/var/lib/dpkg/status`, or the files below `status.d/` of images without dpkg;
 * deb-control(5)). `distribution` is `debian`, `ubuntu`, …; `release` its version, where known. Stanzas without a name or version, and
 * packages that are not installed, are left out: images come from anywhere.
 */
export function componentsOfDpkg(
  status: string,
  distribution: string,
  release: string | undefined,
): Component[] {
  return status.split(/\n{2,}/).flatMap(stanza => {
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'mi').exec(stanza)?.[1]?.trim()
    const name = field('Package')
    const version = field('Version')
    const state = field('Status')
    if (!name || !version || !/^[a-z0-9][a-z0-9.+-]*$/.test(name)) return []
    if (state !== undefined && !state.endsWith(' installed')) return []
    const arch = field('Architecture')
    const source = field('Source')
    const qualifiers = {
      ...(arch && { arch }),
      ...(release && { distro: `${distribution}-${release}` }),
      ...(source && { upstream: source.replace(/^(\S+) \((\S+)\)$/, '$1@$2') }),
    }
    const parts = { type: 'deb', namespace: distribution, name, version, qualifiers }
    return [{ type: 'library', name, version, purl: purl(parts) } satisfies Component]
  })
}
