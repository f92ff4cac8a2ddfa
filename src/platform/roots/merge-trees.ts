import { constants } from 'node:fs'
import { chmod, copyFile, link, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises'
import { isSystemError, removeTree } from '#std'
import type { LayerNotes } from './unpack-layer.ts'

/** A layer as unpacked on disk. */
export interface UnpackedLayer {
  readonly directory: string
  readonly notes: LayerNotes
}

/**
 * Puts unpacked layers (lowest first) together in `target`, an empty directory, as one root (OCI image-spec layer.md). Files are second names of the
 * layers' own, so nothing is copied; the result has to stay read-only. With `copies` it may be written to.
 */
export async function mergeTrees(
  layers: readonly UnpackedLayer[],
  target: string,
  files: 'links' | 'copies' = 'links',
): Promise<void> {
  for (const { directory, notes } of layers) {
    for (const path of notes.opaque) {
      if (!(await liesInDirectories(target, path))) continue
      for (const name of await namesIn(under(target, path)))
        await remove(Buffer.concat([under(target, path), SLASH, name]))
    }
    for (const path of notes.whiteouts)
      if (await liesInDirectories(target, path)) await remove(under(target, path))
    await lay(
      Buffer.from(directory),
      Buffer.from(target),
      '',
      new Set(notes.implied),
      files === 'links' ? link : copy,
    )
  }
}

type Place = (source: Buffer, target: Buffer) => Promise<void>

/** A file system that can share the bytes until one of both is changed does so. */
async function copy(source: Buffer, target: Buffer): Promise<void> {
  if ((await lstat(source)).isSymbolicLink())
    await symlink(await readlink(source, { encoding: 'buffer' }), target)
  else await copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
}

async function lay(
  from: Buffer,
  to: Buffer,
  path: string,
  implied: ReadonlySet<string>,
  place: Place,
): Promise<void> {
  const links: Promise<void>[] = []
  for (const name of await namesIn(from)) {
    const source = Buffer.concat([from, SLASH, name])
    const target = Buffer.concat([to, SLASH, name])
    const inner = path === '' ? name.toString('latin1') : `${path}/${name.toString('latin1')}`
    const stats = await lstat(source)
    const there = await kindOf(target)
    if (!stats.isDirectory()) {
      if (there) await remove(target)
      links.push(place(source, target))
      continue
    }
    if (there === 'other') await remove(target)
    if (there !== 'directory') await mkdir(target)
    if (there !== 'directory' || !implied.has(inner)) await chmod(target, stats.mode & 0o7777)
    await lay(source, target, inner, implied, place)
  }
  await Promise.all(links)
}

const SLASH = Buffer.from('/')

function under(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')])
}

/** True if all above a path are directories themselves: below a link, removing would reach elsewhere, even out of the root. */
async function liesInDirectories(root: string, path: string): Promise<boolean> {
  const steps = path.split('/')
  for (let count = 1; count < steps.length; count++)
    if ((await kindOf(under(root, steps.slice(0, count).join('/')))) !== 'directory') return false
  return true
}

async function kindOf(path: Buffer): Promise<'directory' | 'other' | undefined> {
  try {
    return (await lstat(path)).isDirectory() ? 'directory' : 'other'
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

async function namesIn(directory: Buffer): Promise<Buffer[]> {
  if ((await kindOf(directory)) !== 'directory') return []
  return await readdir(directory, { encoding: 'buffer' })
}

/** Removes what is there. All above it are directories themselves, which the caller has seen. */
async function remove(path: Buffer): Promise<void> {
  await removeTree(path as unknown as string)
}
