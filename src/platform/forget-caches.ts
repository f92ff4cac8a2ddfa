import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { LayoutStore } from '#oci'
import { removeTree, tryLockFile } from '#std'
import { CACHES, cacheDirectory, ELSEWHERE } from './build/cache.ts'
import { namesIn } from './names-in.ts'

/** How long the cache of an image that was put elsewhere, such as into a registry, is kept after its last use, in milliseconds. */
const KEPT_ELSEWHERE = 30 * 86_400_000

/**
 * Removes what builds kept for images that the store has no more, unless one of them is being built; and for images that were put elsewhere a month
 * after their last build. `now` is in milliseconds since 1970. Returns how many went.
 */
export async function forgetCaches(home: string, store: LayoutStore, now: number): Promise<number> {
  const kept = new Set((await store.list()).map(({ name }) => cacheDirectory(home, name)))
  let gone = 0
  for (const name of await namesIn(join(home, CACHES))) {
    const directory = join(home, CACHES, name)
    if (kept.has(directory)) continue
    const elsewhere = await stat(join(directory, ELSEWHERE)).catch(() => undefined)
    if (elsewhere && now - elsewhere.mtimeMs < KEPT_ELSEWHERE) continue
    const held = await tryLockFile(join(directory, 'lock'))
    if (!held) continue
    await removeTree(directory)
    gone += 1
  }
  return gone
}
