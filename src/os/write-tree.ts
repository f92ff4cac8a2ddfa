import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { link, lutimes, mkdir, open, symlink, utimes } from 'node:fs/promises'
import { promisify } from 'node:util'
import { openDisposable } from '#std'
import { type BaseTree, type Content, sortedPaths, TIME } from './tree.ts'

const AT_ONCE = 16

/**
 * Writes a tree into an empty directory that belongs to nobody else. Files belong to the caller; permissions are the
 * tree's, and its owner may always read. Every parent is a directory that was made here, so no link is followed. All is
 * on the disk when this returns.
 */
export async function writeTree(
  tree: BaseTree,
  directory: string,
  stream: (content: Content) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const at = (path: string) => Buffer.from(`${directory}/${path}`, 'latin1')
  const paths = sortedPaths(tree)
  const directories: Buffer[] = [Buffer.from(directory)]
  const files: string[] = []
  const links: [string, string][] = []
  const first = new Map<Content, string>()
  for (const path of paths) {
    const node = tree.get(path)
    if (node?.type === 'directory') {
      await mkdir(at(path), { mode: (node.mode & 0o777) | 0o700 })
      directories.push(at(path))
    } else if (node?.type === 'file') {
      const earlier = first.get(node.content)
      if (earlier !== undefined) links.push([earlier, path])
      else {
        first.set(node.content, path)
        files.push(path)
      }
    }
  }
  const queue = [...files]
  const work = async () => {
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      const node = tree.get(path)
      if (node?.type === 'file') await writeOne(at(path), stream(node.content), (node.mode & 0o777) | 0o400)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  for (const [earlier, path] of links) await link(at(earlier), at(path))
  for (const path of paths) {
    const node = tree.get(path)
    if (node?.type !== 'symlink') continue
    await symlink(Buffer.from(node.target, 'latin1'), at(path))
    await lutimes(at(path), TIME, TIME)
  }
  for (const path of directories.reverse()) await utimes(path, TIME, TIME)
  await toDisk(directory, [...files.map(at), ...directories])
}

/** Forces a tree to the disk: its file system at once where sync(1) of the machine can do that, else file by file, which takes many times as long. */
async function toDisk(directory: string, paths: readonly Buffer[]): Promise<void> {
  try {
    await promisify(execFile)('sync', ['--file-system', directory], { env: {} })
  } catch {
    for (const path of paths) {
      await using file = await openDisposable(path, 'r')
      await file.handle.sync()
    }
  }
}

const FRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

async function writeOne(path: Buffer, content: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
  const file = await open(path, FRESH, 0o600)
  try {
    for await (const chunk of content) await file.writeFile(chunk)
    await file.chmod(mode)
    await file.utimes(TIME, TIME)
  } finally {
    await file.close()
  }
}
