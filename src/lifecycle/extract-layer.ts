import { constants } from 'node:fs'
import { chmod, link, mkdir, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSystemError, openDisposable, type ReadEntry, readTar, removeTree } from '#std'
import type { Place } from './executor.ts'
import { layerRefused } from './problems.ts'

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/**
 * Unpacks the part of a layer that lies at `place.inside` to `place.host`, which has nothing else in it afterwards. Entries elsewhere are
 * passed over if they are the directories above, else refused; links are made, and never followed; modes are set, times and owners are
 * not. On failure the target is gone. Throws a `Problem` (`LAYER_REFUSED`, `TAR_MALFORMED`).
 */
export async function extractLayer(tar: AsyncIterable<Uint8Array>, place: Place): Promise<void> {
  await removeTree(place.host)
  try {
    await mkdir(place.host, { recursive: true, mode: 0o755 })
    const tree = { host: Buffer.from(place.host), directories: new Map<string, number>([['', 0o755]]) }
    for await (const entry of readTar(tar)) {
      const path = pathBelow(entry, place.inside)
      if (path !== undefined) await makeOrRefuse(tree, path, entry, place.inside)
    }
    // Innermost first: a directory may not be writable any more.
    for (const [path, mode] of [...tree.directories].reverse()) await chmod(onDisk(tree, path), mode)
  } catch (error) {
    await removeTree(place.host)
    throw error
  }
}

interface Tree {
  readonly host: Buffer
  /** Directories that were made here, by path below the place (latin1), with the modes they are to have. */
  readonly directories: Map<string, number>
}

/** The path of an entry below `inside`, one character a byte; `undefined` for what lies above. */
function pathBelow({ name, type }: ReadEntry, inside: string): string | undefined {
  const parts = name
    .toString('latin1')
    .split('/')
    .filter(part => part !== '' && part !== '.')
  const shown = name.toString()
  if (parts.includes('..')) throw layerRefused(shown, 'it leaves the directory that it belongs to')
  const above = Buffer.from(inside).toString('latin1').split('/').slice(1)
  const common = above.findIndex((part, index) => parts[index] !== part)
  if (common < 0) return parts.slice(above.length).join('/')
  if (type === 'directory' && parts.length === common) return undefined
  throw layerRefused(shown, `it does not lie in ${inside}`)
}

async function makeOrRefuse(tree: Tree, path: string, entry: ReadEntry, inside: string): Promise<void> {
  try {
    await make(tree, path, entry, inside)
  } catch (error) {
    if (!isSystemError(error, 'EEXIST', 'ENAMETOOLONG', 'EINVAL', 'ENOENT')) throw error
    throw layerRefused(entry.name.toString(), `it cannot be made there (${error.code})`)
  }
}

async function make(tree: Tree, path: string, entry: ReadEntry, inside: string): Promise<void> {
  const shown = entry.name.toString()
  if (path === '') {
    if (entry.type !== 'directory') throw layerRefused(shown, 'it takes the place of the layer itself')
    tree.directories.set('', entry.mode)
    return
  }
  await makeParents(tree, path, shown)
  switch (entry.type) {
    case 'directory':
      if (!tree.directories.has(path)) await mkdir(onDisk(tree, path), { mode: 0o700 })
      tree.directories.set(path, entry.mode)
      return
    case 'file':
      return writeContent(tree, path, entry)
    case 'symlink':
      return symlink(entry.linkname ?? Buffer.alloc(0), onDisk(tree, path))
    case 'link':
      return hardLink(tree, path, entry, inside)
    default:
      throw layerRefused(shown, `a ${entry.type} device or pipe has no place in a layer`)
  }
}

/** Parents must be directories that were made here, so that no link is ever followed. */
async function makeParents(tree: Tree, path: string, shown: string): Promise<void> {
  const parent = dirname(path) === '.' ? '' : dirname(path)
  if (tree.directories.has(parent)) return
  await makeParents(tree, parent, shown)
  try {
    await mkdir(onDisk(tree, parent), { mode: 0o700 })
  } catch (error) {
    throw layerRefused(shown, `${String(error)}: it lies below something that is no directory`)
  }
  tree.directories.set(parent, 0o755)
}

async function writeContent(tree: Tree, path: string, entry: ReadEntry): Promise<void> {
  await using file = await openDisposable(onDisk(tree, path), NEW_FILE, 0o600)
  for await (const chunk of entry.content) await file.handle.writeFile(chunk)
  await file.handle.chmod(entry.mode)
}

async function hardLink(tree: Tree, path: string, entry: ReadEntry, inside: string): Promise<void> {
  const target = pathBelow({ ...entry, name: entry.linkname ?? Buffer.alloc(0), type: 'file' }, inside)
  const parent = dirname(target ?? '')
  if (!target || !tree.directories.has(parent === '.' ? '' : parent)) {
    throw layerRefused(entry.name.toString(), 'it is linked to something that is not there')
  }
  await link(onDisk(tree, target), onDisk(tree, path))
}

function onDisk({ host }: Tree, path: string): Buffer {
  return path === '' ? host : Buffer.concat([host, Buffer.from('/'), Buffer.from(path, 'latin1')])
}
