import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from '#sandbox'
import { temporaryDirectory } from '#std'
import type { BuildRoot } from '../builder/root.ts'
import { copyTree } from '../roots/copy-tree.ts'
import { findInRoot } from '../roots/root-files.ts'

/** Where one run may write besides what it is handed; gone when disposed. */
export interface TemporaryMounts extends AsyncDisposable {
  readonly mounts: readonly Mount[]
}

/** Makes them for one run, with room for the mounts that follow. */
export type TemporaryPlaces = (following: readonly Mount[]) => Promise<TemporaryMounts>

/** Memory file systems for `/tmp`, the home and `/cnb`, forgotten after each run. */
export function memoryOnly(home: string): TemporaryPlaces {
  const mounts: Mount[] = ['/tmp', home, '/cnb'].map(inside => ({ mode: 'tmpfs', inside }))
  return async () => ({ mounts, [Symbol.asyncDispose]: async () => {} })
}

/**
 * A home on disk that begins as the root has it and stays from run to run, as in the one container that other platforms build in; a `/tmp` on disk for
 * each run, because downloads of hundreds of megabytes are unpacked there.
 */
export async function onDisk({ directory, user }: BuildRoot, scratch: string): Promise<TemporaryPlaces> {
  const home = join(scratch, 'home')
  await mkdir(home, { recursive: true, mode: 0o755 })
  const original = await findInRoot([directory], user.home)
  if (original?.stats.isDirectory()) await copyTree(original.host, home)
  return async following => {
    const temporary = await temporaryDirectory(join(scratch, 'temporary'))
    await chmod(temporary.path, 0o1777)
    for (const { inside } of following)
      if (inside.startsWith('/tmp/')) await mkdir(join(temporary.path, inside.slice(5)), { recursive: true })
    return {
      mounts: [
        { mode: 'rw', host: temporary.path, inside: '/tmp' },
        { mode: 'tmpfs', inside: '/var/tmp', optional: true },
        { mode: 'rw', host: home, inside: user.home },
        { mode: 'tmpfs', inside: '/cnb' },
      ],
      [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
    }
  }
}
