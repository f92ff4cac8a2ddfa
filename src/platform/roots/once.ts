import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isSystemError, ownedDirectory, readIfExists, removeTree } from '#std'

/** Names this boot of the machine; empty where the kernel does not tell. */
async function bootOf(): Promise<string> {
  return (await readIfExists('/proc/sys/kernel/random/boot_id'))?.trim() ?? ''
}

/**
 * Makes a directory once for all processes of this machine: beside its place, then moved there whole. What an earlier boot made is made anew, because its
 * files were never forced to disk and a machine that lost power may have half of them. Returns the place.
 */
export async function once(place: string, make: (directory: string) => Promise<void>): Promise<string> {
  const whole = `${place}-${(await bootOf()).replaceAll('-', '').slice(0, 12)}`
  if (await isDirectory(whole)) return whole
  await using staging = await ownedDirectory(dirname(place), '.making-')
  const fresh = join(staging.path, 'made')
  await mkdir(fresh, { mode: 0o755 })
  await make(fresh)
  try {
    await rename(fresh, whole)
  } catch (error) {
    // Someone else was faster with the same.
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST')) throw error
    await removeTree(fresh)
  }
  await forgetOthers(place, whole)
  return whole
}

/** Removes what earlier boots made of the same: nothing can still use it. */
async function forgetOthers(place: string, whole: string): Promise<void> {
  for (const name of await readdir(dirname(place))) {
    if (name.startsWith(`${basename(place)}-`) && name !== basename(whole))
      await removeTree(join(dirname(place), name))
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
}
