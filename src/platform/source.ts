import { constants, type Stats } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, opendir, readlink, stat, symlink, utimes } from 'node:fs/promises'
import { isSystemError, openDisposable, type Report } from '#std'
import { sourceChanged, sourceMissing, sourceNotDirectory, sourceTooDeep, unreadable } from './problems.ts'

/** What a source directory is copied with. */
export interface CopyOptions {
  /** Absolute path of the app's directory. */
  readonly from: string
  /** Absolute path of an existing, empty directory. */
  readonly to: string
  /** Says if a path (bytes, relative to `from`, `/` between names) stays out of the build. */
  readonly ignored: (path: Buffer, directory: boolean) => boolean
  /** A directory that is never part of the app, wherever it lies: that of slipway itself, which would otherwise be copied into itself. */
  readonly without?: string
  readonly report: Report
  readonly signal?: AbortSignal
}

/** How many files are copied at once. */
const AT_ONCE = 16

/** A file that is written to while it is copied is copied again, so many times in all. */
const ATTEMPTS = 3

/**
 * Copies an app's source for a build. Names are bytes and survive as they are. Symbolic links are copied as links and never
 * followed, so nothing outside the directory is read. Modes become 0755 for directories and executables and 0644 for the rest,
 * as git records them: the umask of a checkout is not part of the source. Times of change are kept. Sockets, FIFOs
 * and devices cannot be source; each is skipped with a warning.
 * Throws a `Problem`: `SOURCE_MISSING`, `SOURCE_NOT_DIRECTORY`, `SOURCE_UNREADABLE`, `SOURCE_CHANGED`, `SOURCE_TOO_DEEP`.
 */
export async function copySource(options: CopyOptions): Promise<void> {
  const { from, to, ignored, report, signal } = options
  await checkDirectory(from)
  const without = options.without === undefined ? undefined : await stat(options.without)
  const copies = new Copies()
  const directories: { readonly target: Buffer; readonly stats: Stats }[] = []
  try {
    await copyDirectory(Buffer.alloc(0), await namesIn(Buffer.alloc(0)))
  } finally {
    await copies.ended()
  }
  copies.check()
  for (const { target, stats } of directories.reverse()) await utimes(target, stats.atime, stats.mtime)

  async function copyDirectory(path: Buffer, names: readonly Buffer[]): Promise<void> {
    for (const name of names) {
      signal?.throwIfAborted()
      const inner = path.byteLength === 0 ? name : Buffer.concat([path, SLASH, name])
      const source = under(from, inner)
      const target = under(to, inner)
      const stats = await attempt(inner, () => lstat(source))
      if (ignored(inner, stats.isDirectory())) continue
      if (stats.isDirectory()) {
        if (stats.ino === without?.ino && stats.dev === without.dev) continue
        const inside = await namesIn(inner)
        await attempt(inner, () => mkdir(target, { mode: 0o755 }))
        await chmod(target, 0o755)
        directories.push({ target, stats })
        await copyDirectory(inner, inside)
      } else if (stats.isSymbolicLink()) {
        await symlink(await attempt(inner, () => readlink(source, { encoding: 'buffer' })), target)
      } else if (stats.isFile()) {
        await copies.begin(() => attempt(inner, () => copyRegular(inner, source, target)))
      } else {
        const kind = stats.isSocket() ? 'a socket' : stats.isFIFO() ? 'a FIFO' : 'a device'
        report.warn(`${shown(inner)} is ${kind}; it stays out of the build`)
      }
    }
  }

  async function namesIn(path: Buffer): Promise<Buffer[]> {
    const names: Buffer[] = []
    await attempt(path, async () => {
      // `encoding: 'buffer'` is understood by opendir; its type declaration knows only strings.
      const directory = under(from, path) as unknown as string
      const entries = await opendir(directory, { encoding: 'buffer' as BufferEncoding })
      for await (const entry of entries) names.push(entry.name as unknown as Buffer)
    })
    return names.sort(Buffer.compare)
  }
}

/** Copies what is open, so that a name which becomes a link meanwhile leads nowhere. */
async function copyRegular(path: Buffer, source: Buffer, target: Buffer): Promise<void> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, COPYFILE_FICLONE } = constants
  await using file = await openDisposable(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  for (let round = 0; round < ATTEMPTS; round++) {
    const before = await file.handle.stat()
    if (!before.isFile()) break
    await copyFile(
      process.platform === 'linux' ? `/proc/self/fd/${file.handle.fd}` : source,
      target,
      COPYFILE_FICLONE,
    )
    const after = await file.handle.stat()
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) continue
    await chmod(target, before.mode & 0o100 ? 0o755 : 0o644)
    await utimes(target, before.atime, before.mtime)
    return
  }
  throw sourceChanged(shown(path))
}

async function attempt<T>(path: Buffer, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) throw unreadable(shown(path) || 'its directory', error)
    if (isSystemError(error, 'ENAMETOOLONG')) throw sourceTooDeep(shown(path))
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'ENXIO', 'ESTALE'))
      throw sourceChanged(shown(path), error)
    throw error
  }
}

/** Copies that go on at the same time. The first failure ends the rest. */
class Copies {
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  async begin(copy: () => Promise<void>): Promise<void> {
    if (this.#running.size >= AT_ONCE) await Promise.race(this.#running)
    this.check()
    const running: Promise<void> = copy()
      .catch(error => {
        this.#failure ??= { error }
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  check(): void {
    if (this.#failure) throw this.#failure.error
  }
}

/** A name in a message: one line, whatever it is. */
function shown(path: Buffer): string {
  return path.toString().replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

const SLASH = Buffer.from('/')

function under(root: string, path: Buffer): Buffer {
  return path.byteLength === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(root), SLASH, path])
}

async function checkDirectory(path: string): Promise<void> {
  try {
    if (!(await stat(path)).isDirectory()) throw sourceNotDirectory(path)
  } catch (error) {
    if (isSystemError(error, 'EACCES')) throw unreadable(path, error)
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw sourceMissing(path, error)
    throw error
  }
}
