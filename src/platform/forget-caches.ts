import { join } from 'node:path'
import type { LayoutStore } from '#oci'
import { removeTree, tryLockFile } from '#std'
import { CACHES, cacheDirectory } from './build-cache.ts'
import { namesIn } from './names-in.ts'

/** Removes what builds kept for images that the store has no more, unless one of them is being built. Returns how many went. */
export async function forgetCaches(home: string, store: LayoutStore): Promise<number> {
  const kept = new Set((await store.list()).map(({ name }) => cacheDirectory(home, name)))
  let gone = 0
  for (const name of await namesIn(join(home, CACHES))) {
    const directory = join(home, CACHES, name)
    if (kept.has(directory)) continue
    const held = await tryLockFile(join(directory, 'lock'))
    if (!held) continue
    await removeTree(directory)
    gone += 1
  }
  return gone
}
