import { mkdir, rename, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { hexOf, isSystemError, ownedDirectory, syncDirectory } from '#std'
import { alone } from './alone.ts'
import { type Assembled, type AssemblyContext, assembleBase, baseKey } from './assemble.ts'
import type { BaseLock } from './lock.ts'
import type { Recipe } from './recipe.ts'
import type { Content } from './tree.ts'
import { writeTree } from './write-tree.ts'

/**
 * A base as a directory below `<home>/trees`, to be the root of sandboxes; assembled and unpacked only once. It is there
 * whole or not at all, and any number of processes may ask for it at once. Its files belong to the caller. Pass what was
 * assembled already, if it was.
 */
export async function openBase(
  recipe: Recipe,
  lock: BaseLock,
  context: AssemblyContext,
  assembled?: Assembled,
): Promise<string> {
  const place = join(context.home, 'trees', `base-${hexOf(baseKey(recipe, lock))}`)
  if (await isDirectory(place)) return place
  return alone(context.home, basename(place), async () => {
    if (await isDirectory(place)) return place
    if (assembled) return writeOnce(assembled, place, context)
    await using made = await assembleBase(recipe, lock, context)
    return await writeOnce(made, place, context)
  })
}

/** Writes a tree beside its place and moves it there. */
export async function writeOnce(
  { tree, stream }: Pick<Assembled, 'tree' | 'stream'>,
  place: string,
  { home, report }: AssemblyContext,
): Promise<string> {
  using progress = report.progress(`unpacking ${tree.size} files`)
  async function* counted(content: Content): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream(content)) {
      progress.add(chunk.byteLength)
      yield chunk
    }
  }
  const parent = join(place, '..')
  await using staging = await ownedDirectory(parent, '.new-')
  const root = join(staging.path, 'tree')
  await mkdir(root, { mode: 0o755 })
  await writeTree(tree, root, counted)
  try {
    await rename(root, place)
  } catch (error) {
    // Someone else was faster with the same tree.
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST')) throw error
  }
  await syncDirectory(parent)
  await syncDirectory(home)
  return place
}

/** True if a directory is there. */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
}
