import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, rename, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSystemError, removeTree } from '#std'
import { pathOnDisk, scanTree } from './tree.ts'

/**
 * Moves a directory: renamed where that is possible (`renamed`: its files are the same ones), copied to another file system. Seen from elsewhere it is at
 * one place or the other, whole, as long as the target's name is not looked at before this resolves.
 */
export async function moveTree(from: string, to: string): Promise<'renamed' | 'copied'> {
  await mkdir(dirname(to), { recursive: true })
  try {
    await renameEvenUnwritable(from, to)
    return 'renamed'
  } catch (error) {
    if (!isSystemError(error, 'EXDEV')) throw error
    await copyTree(from, to)
    await removeTree(from)
    return 'copied'
  }
}

/** A directory that one may not write to cannot be moved by its owner, because its `..` changes. */
async function renameEvenUnwritable(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM')) throw error
    const mode = (await lstat(from)).mode & 0o7777
    await chmod(from, mode | 0o700)
    try {
      await rename(from, to)
    } catch (again) {
      await chmod(from, mode)
      throw again
    }
    await chmod(to, mode)
  }
}

/** Copies files, directories and links with their modes, names as bytes; sharing blocks where the file system can. */
export async function copyTree(from: string, to: string): Promise<void> {
  const entries = await scanTree(from)
  for (const { path, type, linkname = '' } of entries) {
    const target = pathOnDisk(to, path)
    if (type === 'directory') await mkdir(target, { mode: 0o700 })
    else if (type === 'symlink') await symlink(Buffer.from(linkname, 'latin1'), target)
    else if (type === 'file')
      await copyFile(pathOnDisk(from, path), target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  }
  // Innermost first: a directory may not be writable any more.
  for (const { path, type, mode } of entries.toReversed()) {
    if (type === 'directory' || type === 'file') await chmod(pathOnDisk(to, path), mode)
  }
}
