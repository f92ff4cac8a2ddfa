import { type BaseTree, putFile } from './tree.ts'

/** A package as dpkg would know it. */
export interface Installed {
  readonly name: string
  readonly arch: string
  /** Its control files. */
  readonly control: ReadonlyMap<string, string>
  /** Every path that it brought into this base. */
  readonly paths: readonly string[]
}

/**
 * Writes dpkg's records of what is installed (`/var/lib/dpkg/status` and `info/`), which scanners read. The scripts of
 * packages stay out: nothing will ever run them.
 */
export function putRecords(tree: BaseTree, packages: readonly Installed[]): void {
  const status: string[] = []
  for (const { name, arch, control, paths } of packages) {
    const stanza = (control.get('control') ?? '').trim().split('\n')
    status.push([stanza[0], 'Status: install ok installed', ...stanza.slice(1), ''].join('\n'))
    const multi = stanza.includes('Multi-Arch: same') ? `${name}:${arch}` : name
    putFile(tree, `var/lib/dpkg/info/${multi}.list`, ['/.', ...paths.map(path => `/${path}`), ''].join('\n'))
    for (const kind of ['md5sums', 'conffiles']) {
      const text = control.get(kind)
      if (text) putFile(tree, `var/lib/dpkg/info/${multi}.${kind}`, text)
    }
  }
  putFile(tree, 'var/lib/dpkg/status', status.map(stanza => `${stanza}\n`).join(''))
  // dpkg reads names with an architecture (`libc6:amd64.list`) only where this says so.
  putFile(tree, 'var/lib/dpkg/info/format', '1\n')
  putFile(tree, 'var/lib/dpkg/available', '')
}
