import { execFile } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
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

/**
 * Makes device nodes of our own, for a caller who is root: the host's nodes belong to that same user, and a sandboxed program could change who may
 * use them. Undefined where none can be made (a container without that right, a file system that ignores them).
 */
export async function makeDevices(
  directory: string,
): Promise<{ directory: string; names: readonly string[] } | undefined> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  try {
    for (const [name, [major, minor]] of Object.entries(NODES))
      await promisify(execFile)('mknod', [
        '-m',
        '666',
        join(directory, name),
        'c',
        String(major),
        String(minor),
      ])
    const probe = await open(join(directory, 'null'), 'r+')
    await probe.close()
    return { directory, names: Object.keys(NODES) }
  } catch {
    return undefined
  }
}
