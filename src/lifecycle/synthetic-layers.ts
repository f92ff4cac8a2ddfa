import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { packTar, type TarEntry } from '#std'
import { launcherMissing, processTypeInvalid } from './export-problems.ts'
import { directoryEntry, NORMAL_TIME } from './layer-tar.ts'

/** Where the launcher is in an image, and the links to it that are named after the process types. */
export const LIFECYCLE_DIRECTORY = '/cnb/lifecycle'
export const LAUNCHER = '/cnb/lifecycle/launcher'
export const PROCESS_DIRECTORY = '/cnb/process'

const ROOT = { uid: 0, gid: 0 }

/** The layer with the launcher, owned by root, mode 0755 whatever it is on disk. Throws a `Problem` (`LAUNCHER_MISSING`, exit code 62). */
export async function launcherTar(file: string): Promise<Readable> {
  const stats = await stat(file).catch(error => {
    throw launcherMissing(file, error)
  })
  if (!stats.isFile()) throw launcherMissing(file)
  const launcher: TarEntry = {
    name: LAUNCHER,
    type: 'file',
    mode: 0o755,
    ...ROOT,
    mtime: NORMAL_TIME,
    size: stats.size,
    content: () => createReadStream(file, { highWaterMark: 1 << 20 }),
  }
  return packTar([
    directoryEntry('/cnb', 0o755, ROOT),
    directoryEntry(LIFECYCLE_DIRECTORY, 0o755, ROOT),
    launcher,
  ])
}

/**
 * The layer with one link to the launcher for each process type, in the order given. Types are checked as the Buildpacks specification says
 * (letters, digits, `.`, `_`, `-`), since they become names of files. Throws a `Problem` (`PROCESS_TYPE_INVALID`, exit code 62).
 */
export function processTypesTar(types: readonly string[]): Readable {
  const links = types.map((type): TarEntry => {
    if (!/^[A-Za-z0-9._-]+$/.test(type) || type === '.' || type === '..') throw processTypeInvalid(type)
    return {
      name: `${PROCESS_DIRECTORY}/${type}`,
      type: 'symlink',
      mode: 0o755,
      ...ROOT,
      mtime: NORMAL_TIME,
      size: 0,
      linkname: LAUNCHER,
    }
  })
  return packTar([
    directoryEntry('/cnb', 0o755, ROOT),
    directoryEntry(PROCESS_DIRECTORY, 0o755, ROOT),
    ...links,
  ])
}
