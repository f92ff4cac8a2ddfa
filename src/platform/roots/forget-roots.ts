import { join } from 'node:path'
import type { LayoutStore } from '#oci'
import { hexOf, isAlive, readIfExists, removeTree } from '#std'
import { namesIn } from '../names-in.ts'
import { lockRoots, ROOTS, USED } from './image-root.ts'

/** Removes the unpacked files of layers that no image of the store has any more, unless something runs on them. Returns how many went. */
export async function forgetRoots(home: string, store: LayoutStore): Promise<number> {
  await using _ = await lockRoots(home)
  const kept = await neededBy(store)
  const used = await inUse(join(home, 'runs'))
  let gone = 0
  for (const name of await namesIn(join(home, ROOTS))) {
    const [, kind, key = ''] = /^(layer|root)-([0-9a-f]{64})(?:-|$)/.exec(name) ?? []
    // Roots put together are made again from their layers in no time.
    if (kind === undefined || used.has(name) || (kind === 'layer' && kept.has(key))) continue
    await removeTree(join(home, ROOTS, name))
    gone += 1
  }
  return gone
}

async function neededBy(store: LayoutStore): Promise<Set<string>> {
  const kept = new Set<string>()
  for (const { name } of await store.list())
    for (const { diffId } of (await store.image(name))?.layers ?? []) kept.add(hexOf(diffId))
  return kept
}

/** What living runs say they use. */
async function inUse(runs: string): Promise<Set<string>> {
  const used = new Set<string>()
  for (const name of await namesIn(runs)) {
    const [, pid, start] = /^run-(\d+)-(\d+|-)-/.exec(name) ?? []
    if (pid === undefined || !(await isAlive(`${pid} ${start}`))) continue
    for (const each of ((await readIfExists(join(runs, name, USED))) ?? '').split('\n')) used.add(each)
  }
  return used
}
