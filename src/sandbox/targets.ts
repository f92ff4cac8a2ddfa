import { lstatSync } from 'node:fs'
import { posix } from 'node:path'
import { isInside, isSystemError } from '#std'
import { mountRefused } from './problems.ts'
import type { Mount, RunSpec } from './spec.ts'

/** A place inside, and the host directories (highest first) that its content comes from; none for a memory file system. */
interface Placed {
  readonly inside: string
  readonly from: readonly string[]
  /** A missing mount point below it comes into being by itself. */
  readonly grows: boolean
}

/**
 * Checks where each mount would land, and leaves out the optional ones that have nowhere to. A mount point reached through a symbolic link is
 * refused: its content was chosen by an image or by a program that ran before, and the mount would be made, and directories created, wherever
 * the link leads. Nothing runs while this looks, so what it saw stays true. Throws a `Problem` (`SANDBOX_MOUNT_REFUSED`).
 */
export function checkTargets(root: NonNullable<RunSpec['root']>, mounts: readonly Mount[]): readonly Mount[] {
  const placed: Placed[] = [{ inside: '/', from: directoriesOf(root), grows: typeof root !== 'string' }]
  const kept: Mount[] = []
  for (const mount of mounts) {
    const { inside } = mount
    if (
      inside !== posix.normalize(inside) ||
      !inside.startsWith('/') ||
      (inside !== '/' && inside.endsWith('/'))
    )
      throw mountRefused(inside, 'the path is not absolute and plain')
    if (inside === '/' || isInside('/proc', inside) || inside === '/dev')
      throw mountRefused(inside, 'the sandbox itself decides what is there')
    const directory = mount.mode === 'tmpfs' || isDirectory(mount.host, inside)
    const obstacle = obstacleAt(placed, inside, directory)
    if (obstacle !== undefined) {
      if (mount.optional) continue
      throw mountRefused(inside, obstacle)
    }
    kept.push(mount)
    placed.push({
      inside,
      from: mount.mode === 'tmpfs' ? [] : [mount.host],
      grows: mount.mode === 'tmpfs',
    })
  }
  return kept
}

function directoriesOf(root: NonNullable<RunSpec['root']>): readonly string[] {
  if (typeof root === 'string') return [root]
  return 'writable' in root ? [root.writable] : root.lower.toReversed()
}

/** What stands in the way of a mount, in words; undefined if nothing does. */
function obstacleAt(placed: readonly Placed[], inside: string, directory: boolean): string | undefined {
  const ground = placed.toReversed().find(each => isInside(each.inside, inside)) as Placed
  if (ground.inside === inside && ground.from.length === 0) return undefined
  const steps = posix
    .relative(ground.inside, inside)
    .split('/')
    .filter(step => step !== '')
  let path = ''
  for (const [index, step] of steps.entries()) {
    path += `/${step}`
    const kind = kindOf(ground.from, path)
    const name = posix.join(ground.inside, path)
    if (kind === 'missing')
      return ground.grows ? undefined : `there is nothing at ${name} in the root to mount on`
    if (kind === 'link') return `${name} is a symbolic link`
    const last = index === steps.length - 1
    if (kind !== (last && !directory ? 'file' : 'directory'))
      return `${name} is a ${kind}, where a ${last && !directory ? 'file' : 'directory'} is needed`
  }
  return undefined
}

function kindOf(from: readonly string[], path: string): 'missing' | 'link' | 'directory' | 'file' {
  for (const directory of from) {
    try {
      const stats = lstatSync(directory + path)
      if (stats.isSymbolicLink()) return 'link'
      return stats.isDirectory() ? 'directory' : 'file'
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error
    }
  }
  return 'missing'
}

function isDirectory(host: string, inside: string): boolean {
  try {
    const stats = lstatSync(host)
    if (stats.isSymbolicLink()) throw mountRefused(inside, `${host} is a symbolic link`)
    return stats.isDirectory()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES'))
      throw mountRefused(inside, `${host} cannot be found`)
    throw error
  }
}
