import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from '#sandbox'
import { readIfExists } from '#std'

/** What names mean inside a sandbox. */
export interface Naming {
  readonly network: 'host' | 'none'
  readonly hostname: string
}

/**
 * Writes, into a directory, the files by which programs find hosts: those of this machine with the sandbox's own name added, or, without a network, that
 * name and `localhost` alone. Gives the mounts that put them in place where a root has room for them.
 */
export async function namingMounts(directory: string, { network, hostname }: Naming): Promise<Mount[]> {
  await mkdir(directory, { recursive: true })
  const own = `127.0.0.1\tlocalhost\n::1\tlocalhost\n`
  const outer = network === 'host' ? await readIfExists('/etc/hosts') : undefined
  const files = {
    hosts: `${(outer ?? own).replace(/\n?$/, '\n')}127.0.1.1\t${hostname}\n`,
    hostname: `${hostname}\n`,
    'resolv.conf': network === 'host' ? await readIfExists('/etc/resolv.conf') : '',
  }
  const mounts: Mount[] = []
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue
    const host = join(directory, name)
    await writeFile(host, content, { mode: 0o644 })
    mounts.push({ mode: 'ro', host, inside: `/etc/${name}`, optional: true })
  }
  return mounts
}
