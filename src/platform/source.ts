import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, opendir, readlink, symlink, utimes } from 'node:fs/promises'
import { isSystemError, type Report } from '#std'
import { sourceMissing, sourceNotDirectory, unreadable } from './problems.ts'

/** What a source directory is copied with. */
export interface CopyOptions {
  /** Absolute path of the app's directory. */
  readonly from: string
  /** Absolute path of an existing, empty directory. */
  readonly to: string
  /** Says if a path (bytes, relative to `from`, `/` between names) stays out of the build. */
  readonly ignored: (path: Buffer, directory: boolean) => boolean
  readonly report: Report
}

/** How many files are copied at once. */
const AT_ONCE = 16

/**
 * Copies an app's source for a build. Names are bytes and survive as they are. Symbolic links are copied as links and never
 * followed, so nothing outside the directory is read. Modes become 0755 for directories and executables and 0644 for the rest,
 * as git records them: the umask of a checkout is not part of the source. Times of change are kept. Sockets, FIFOs
 * and devices cannot be source; each is skipped with a warning.
 * Throws a `Problem`: `SOURCE_MISSING`, `SOURCE_NOT_DIRECTORY`, `SOURCE_UNREADABLE`.
 */
export async function copySource({ from, to, ignored, report }: CopyOptions): Promise<void> {
  await checkDirectory(from)
  const pending: Promise<void>[] = []
  await copyDirectory(Buffer.alloc(0))
  await Promise.all(pending)

  async function copyDirectory(path: Buffer): Promise<void> {
    for (const name of await namesIn(under(from, path))) {
      const inner = path.byteLength === 0 ? name : Buffer.concat([path, SLASH, name])
      const source = under(from, inner)
      const target = under(to, inner)
      const stats = await attempt(inner, () => lstat(source))
      if (ignored(inner, stats.isDirectory())) continue
      if (stats.isDirectory()) {
        await mkdir(target, { mode: 0o755 })
        await chmod(target, 0o755)
        await copyDirectory(inner)
        await utimes(target, stats.atime, stats.mtime)
      } else if (stats.isSymbolicLink()) {
        await symlink(await readlink(source, { encoding: 'buffer' }), target)
      } else if (stats.isFile()) {
        if (pending.length >= AT_ONCE) await Promise.all(pending.splice(0))
        pending.push(copyRegular(inner, source, target, stats.mode, stats.atime, stats.mtime))
      } else {
        const kind = stats.isSocket() ? 'a socket' : stats.isFIFO() ? 'a FIFO' : 'a device'
        report.warn(`${inner.toString()} is ${kind}; it stays out of the build`)
      }
    }
  }

  async function copyRegular(
    path: Buffer,
    source: Buffer,
    target: Buffer,
    mode: number,
    atime: Date,
    mtime: Date,
  ) {
    await attempt(path, () => copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL))
    await chmod(target, mode & 0o100 ? 0o755 : 0o644)
    await utimes(target, atime, mtime)
  }

  async function namesIn(directory: Buffer): Promise<Buffer[]> {
    const names: Buffer[] = []
    await attempt(directory, async () => {
      // `encoding: 'buffer'` is understood by opendir; its type declaration knows only strings.
      const entries = await opendir(directory as unknown as string, { encoding: 'buffer' as BufferEncoding })
      for await (const entry of entries) names.push(entry.name as unknown as Buffer)
    })
    return names.sort(Buffer.compare)
  }

  async function attempt<T>(path: Buffer, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      if (isSystemError(error, 'EACCES', 'EPERM')) throw unreadable(path.toString(), error)
      throw error
    }
  }
}

const SLASH = Buffer.from('/')

function under(root: string, path: Buffer): Buffer {
  return path.byteLength === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(root), SLASH, path])
}

async function checkDirectory(path: string): Promise<void> {
  try {
    const stats = await lstat(path)
    if (!stats.isDirectory() && !stats.isSymbolicLink()) throw sourceNotDirectory(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw sourceMissing(path, error)
    throw error
  }
}
