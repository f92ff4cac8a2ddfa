import { execFile } from 'node:child_process'
import { lstat, open } from 'node:fs/promises'
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

/** Makes pipes, and then devices as far as that goes. One shell for all: to fork this process takes longer than to fork a shell. */
const SCRIPT = `umask 077; cd "$1" && mkfifo -m 600 pipe-0 pipe-1 pipe-2 pipe-3 pipe-4 pipe-5 || exit 1
[ "$2" = devices ] || exit 0
{ mkdir -m 755 dev && cd dev${Object.entries(NODES)
  .map(([name, [major, minor]]) => ` && mknod -m 666 ${name} c ${major} ${minor}`)
  .join('')}; } 2>/dev/null
exit 0`

/**
 * Makes pipes in a private directory and, for a caller who is root, device nodes of our own: the host's nodes belong to that same user, and a sandboxed
 * program could change who may use them. No devices where none can be made (a container without that right, a file system that ignores them).
 */
export async function makeSpecialFiles(directory: string, root: boolean): Promise<SpecialFiles> {
  await promisify(execFile)('/bin/sh', ['-c', SCRIPT, 'sh', directory, root ? 'devices' : ''])
  const pipes = Array.from({ length: 6 }, (_, index) => join(directory, `pipe-${index}`))
  return { pipes, devices: root ? await usable(join(directory, 'dev')) : undefined }
}

async function usable(directory: string): Promise<SpecialFiles['devices']> {
  try {
    await (await open(join(directory, 'null'), 'r+')).close()
    // The last one: each is made only if the one before could be.
    await lstat(join(directory, 'tty'))
    return { directory, names: Object.keys(NODES) }
  } catch {
    return undefined
  }
}
