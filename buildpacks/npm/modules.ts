import { mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { copyTree, isSystemError, type NpmLock, removeTree } from '#sdk'

/** The directories `node_modules` of a project, relative to it: its own, and those of workspaces that have other versions than the rest. */
export function moduleDirectories(
  { packages }: NpmLock,
  { development }: { development: boolean },
): string[] {
  const found = new Set(['node_modules'])
  for (const [place, { dev }] of packages) {
    const first = /^((?:(?!node_modules\/)[^/]+\/)*node_modules)\//.exec(place)?.[1]
    if (first && (development || !dev) && !first.split('/').includes('..')) found.add(first)
  }
  return [...found].sort()
}

/** What programs leave in `node_modules` for their next run; it differs from build to build. npm's own list names registries. */
export const LEFT_BEHIND = ['.cache', '.tmp', '.vite', '.vite-temp', '.package-lock.json']

/** Removes from installed packages what is of no use in an image. */
export async function removeLeftovers(project: string, directories: readonly string[]): Promise<void> {
  for (const directory of directories)
    for (const name of LEFT_BEHIND) await removeTree(join(project, directory, name))
}

/** Copies installed packages, each directory to its own path below `to`. */
export async function copyModules(from: string, directories: readonly string[], to: string): Promise<void> {
  for (const directory of directories) {
    await copyTree(join(from, directory), join(to, directory)).catch(error => {
      if (!isSystemError(error, 'ENOENT')) throw error
    })
  }
}

/**
 * Lets the links that npm made to workspaces lead to the app from anywhere. npm writes them relative to the project, and in a layer they would lead
 * nowhere.
 */
export async function anchorWorkspaces({ packages }: NpmLock, project: string, layer: string): Promise<void> {
  for (const [place, { link, dev, resolved }] of packages) {
    if (!link || dev || !resolved || place.split('/').includes('..') || resolved.includes(':')) continue
    const path = join(layer, place)
    await rm(path, { force: true })
    await mkdir(dirname(path), { recursive: true })
    await symlink(join(project, resolved), path)
  }
}

/** Puts links to packages in a layer in the place of the packages themselves. */
export async function linkModules(
  project: string,
  directories: readonly string[],
  layer: string,
): Promise<void> {
  for (const directory of directories) {
    const path = join(project, directory)
    await removeTree(path)
    await mkdir(dirname(path), { recursive: true })
    await symlink(join(layer, directory), path)
  }
}

/** Removes every directory of installed packages. */
export async function removeModules(project: string, directories: readonly string[]): Promise<void> {
  for (const directory of directories) await removeTree(join(project, directory))
}
