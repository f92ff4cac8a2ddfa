import { chmod, constants, copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Links every entry of a tree's top into a directory: for layers that only this build sees. */
export async function linkTree(root: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const name of (await readdir(root)).sort()) await symlink(join(root, name), join(directory, name))
}

/** Copies a tree, bytes and links as they are; directories become 0755, files 0755 or 0644. */
export async function copyTree(root: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  await chmod(directory, 0o755)
  const entries = await readdir(root, { withFileTypes: true })
  const files = entries.filter(entry => !entry.isDirectory())
  await Promise.all(files.map(({ name }) => copyEntry(join(root, name), join(directory, name))))
  for (const entry of entries)
    if (entry.isDirectory()) await copyTree(join(root, entry.name), join(directory, entry.name))
}

async function copyEntry(from: string, to: string): Promise<void> {
  const stats = await lstat(from)
  if (stats.isSymbolicLink()) return await symlink(await readlink(from), to)
  if (!stats.isFile()) return
  await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
  await chmod(to, modeFor(stats.mode))
}

/** Gives every file below a directory the mode that the umask has no part in: 0755 or 0644. Links are left alone. */
export async function settleModes(directory: string): Promise<void> {
  await chmod(directory, 0o755)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await settleModes(path)
    else if (entry.isFile()) {
      const { mode } = await lstat(path)
      if ((mode & 0o7777) !== modeFor(mode)) await chmod(path, modeFor(mode))
    }
  }
}

function modeFor(mode: number): number {
  return (mode & 0o100) !== 0 ? 0o755 : 0o644
}
