import { execFile } from 'node:child_process'
import { chmodSync, closeSync, lstatSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Device nodes that every program may expect, with their numbers (Linux devices.txt). */
const NODES = {
  null: [1, 3],
  zero: [1, 5],
  full: [1, 7],
  random: [1, 8],
  urandom: [1, 9],
  tty: [5, 0],
} as const

/** Files that Node.js cannot make itself. */
export interface SpecialFiles {
  /** Paths of named pipes. */
  readonly pipes: readonly string[]
  readonly devices: { readonly directory: string; readonly names: readonly string[] } | undefined
}

/**
 * Makes pipes, and then devices as far as that goes. One shell for all, because to fork this process takes longer than to fork a shell; and one `cp` for all
 * devices, because `mknod` makes one at a time. What the host lacks is made by its number.
 */
const SCRIPT = `umask 077; cd "$1" && mkfifo -m 600 pipe-0 pipe-1 pipe-2 pipe-3 pipe-4 pipe-5 || exit 1
[ "$2" = devices ] || exit 0
{ cd dev && cp -R ${Object.keys(NODES)
  .map(name => `/dev/${name}`)
  .join(' ')} .
${Object.entries(NODES)
  .map(([name, [major, minor]]) => `[ -c ${name} ] || mknod ${name} c ${major} ${minor}`)
  .join('\n')}; } 2>/dev/null
exit 0`

/**
 * Makes pipes in a private directory and, for a caller who is root, device nodes of our own: the host's nodes belong to that same user, and a sandboxed
 * program could change who may use them. No devices where none can be made (a container without that right, a file system that ignores them).
 */
export async function makeSpecialFiles(directory: string, root: boolean): Promise<SpecialFiles> {
  if (root) mkdirSync(join(directory, 'dev'), { mode: 0o755 })
  await promisify(execFile)('/bin/sh', ['-c', SCRIPT, 'sh', directory, root ? 'devices' : ''])
  const pipes = Array.from({ length: 6 }, (_, index) => join(directory, `pipe-${index}`))
  return { pipes, devices: root ? usable(join(directory, 'dev')) : undefined }
}

function usable(directory: string): SpecialFiles['devices'] {
  try {
    chmodSync(directory, 0o755)
    for (const [name, [major, minor]] of Object.entries(NODES)) {
      const path = join(directory, name)
      const stats = lstatSync(path)
      // A small number's major and minor are its two last bytes (makedev(3)).
      if (!stats.isCharacterDevice() || stats.rdev !== major * 256 + minor) return undefined
      chmodSync(path, 0o666)
    }
    closeSync(openSync(join(directory, 'null'), 'r+'))
    return { directory, names: Object.keys(NODES) }
  } catch {
    return undefined
  }
}
