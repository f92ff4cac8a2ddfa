import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, open, rename, symlink, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  byBytes,
  type Digest,
  hexOf,
  isSystemError,
  removeTree,
  syncDirectory,
  temporaryDirectory,
} from '#std'
import type { Tree } from './tree.ts'

/** Every file of a tree has the time that files in layers have, 1980-01-01T00:00:01Z. */
const TIME = 315532801

/** Where the tree of a digest is kept. */
export function treePlace(home: string, digest: Digest): string {
  return join(home, 'trees', hexOf(digest))
}

/**
 * Writes a tree to `<home>/trees/<digest>` and returns that path. The whole tree appears at once or not at all; two
 * processes that write the same tree do not disturb each other. Files are read-only, programs executable; everything is
 * on the disk when this returns. Staged contents are used up.
 */
export async function materialise(tree: Tree, digest: Digest, home: string): Promise<string> {
  const place = treePlace(home, digest)
  if (await exists(place)) return place
  await using staging = await temporaryDirectory(join(home, 'trees'), '.new-')
  const root = join(staging.path, 'tree')
  await mkdir(root, { mode: 0o755 })
  const directories = new Set<string>([''])
  const paths = [...tree.keys()].toSorted(byBytes)
  for (const path of paths) {
    const node = tree.get(path)
    if (node?.type === 'directory') directories.add(path)
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) directories.add(parent)
  }
  for (const path of [...directories].toSorted(byBytes))
    if (path !== '') await mkdir(join(root, path), { mode: 0o755 })
  const moved = new Map<string, string>()
  for (const path of paths) {
    const node = tree.get(path)
    if (node?.type !== 'file') continue
    // A content may stand at several paths, and then each of them gets a file of its own.
    const earlier = moved.get(node.content)
    if (earlier === undefined) await rename(node.content, join(root, path))
    else await copyFile(earlier, join(root, path), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    moved.set(node.content, join(root, path))
  }
  await inParallel(paths, 16, async path => {
    const node = tree.get(path)
    if (node?.type === 'file') await finishFile(join(root, path), node.executable)
  })
  // Links come last: nothing is ever written through one.
  for (const path of paths) {
    const node = tree.get(path)
    if (node?.type === 'symlink') await symlink(node.target, join(root, path))
  }
  for (const path of [...directories].toSorted(byBytes).reverse()) {
    const directory = join(root, path)
    await chmod(directory, 0o755)
    await utimes(directory, TIME, TIME)
    await syncDirectory(directory)
  }
  try {
    await rename(root, place)
  } catch (error) {
    // Someone else was faster with the same tree.
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST')) throw error
  }
  await syncDirectory(join(home, 'trees'))
  return place
}

/** Removes a tree of an earlier run. */
export async function removeMaterialised(home: string, digest: Digest): Promise<void> {
  await removeTree(treePlace(home, digest))
}

async function finishFile(path: string, executable: boolean): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.chmod(executable ? 0o555 : 0o444)
    await file.utimes(TIME, TIME)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
}

async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
