import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { isSystemError, type Report, removeTree } from '#std'
import { sourceChanged, sourceMissing, sourceNotDirectory, sourceTooDeep, unreadable } from '../problems.ts'
import { identityOf, type SourceMarks } from './source-marks.ts'

/** What a source directory is copied with. */
export interface CopyOptions {
  /** Absolute path of the app's directory. */
  readonly from: string
  /** Absolute path of an existing directory: empty, or what the copy before was made into. */
  readonly to: string
  /** Says if a path (bytes, relative to `from`, `/` between names) stays out of the build. */
  readonly ignored: (path: Buffer, directory: boolean) => boolean
  /** A directory that is never part of the app, wherever it lies: that of slipway itself, which would otherwise be copied into itself. */
  readonly without?: string
  readonly report: Report
  readonly signal?: AbortSignal
  /** What is in `to` already, and when this copy began: what is as it was then is not copied again, and what does not belong there is removed. */
  readonly marks?: SourceMarks
}

/** So many files are copied before other work of the process gets its turn. */
const TURN = 64

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
  const { from, to, ignored, report, signal, marks } = options
  checkDirectory(from)
  const without = options.without === undefined ? undefined : statSync(options.without, { bigint: true })
  const directories: { readonly target: Buffer; readonly stats: BigIntStats }[] = []
  let copied = 0
  await copyDirectory(Buffer.alloc(0), namesIn(Buffer.alloc(0)))
  for (const { target, stats } of directories.reverse()) setTimes(target, stats)

  async function copyDirectory(path: Buffer, names: readonly Buffer[]): Promise<void> {
    const left = marks ? namesThere(under(to, path)) : new Set<string>()
    for (const name of names) {
      signal?.throwIfAborted()
      const inner = path.byteLength === 0 ? name : Buffer.concat([path, SLASH, name])
      const stats = attempt(inner, () => lstatSync(under(from, inner), { bigint: true }))
      if (ignored(inner, stats.isDirectory())) continue
      if (stats.isDirectory() && stats.ino === without?.ino && stats.dev === without.dev) continue
      const target = under(to, inner)
      const there = left.delete(name.toString('latin1'))
      if (stats.isDirectory()) {
        const inside = namesIn(inner)
        if (there && !lstatSync(target).isDirectory()) await removeTree(target)
        attempt(inner, () => makeDirectory(target))
        directories.push({ target, stats })
        await copyDirectory(inner, inside)
      } else if (stats.isFile() || stats.isSymbolicLink()) {
        if (there && marks?.isUnchanged(inner, stats, target)) continue
        if (there) await removeTree(target)
        if (stats.isFile()) attempt(inner, () => copyRegular(inner, under(from, inner), target))
        else
          symlinkSync(
            attempt(inner, () => readlinkSync(under(from, inner), { encoding: 'buffer' })),
            target,
          )
        marks?.add(inner, stats, target)
        if (++copied % TURN === 0) await setImmediate()
      } else {
        if (there) await removeTree(target)
        const kind = stats.isSocket() ? 'a socket' : stats.isFIFO() ? 'a FIFO' : 'a device'
        report.warn(`${shown(inner)} is ${kind}; it stays out of the build`)
      }
    }
    for (const name of left) await removeTree(under(under(to, path), Buffer.from(name, 'latin1')))
  }

  function namesIn(path: Buffer): Buffer[] {
    return attempt(path, () => readdirSync(under(from, path), { encoding: 'buffer' })).sort(Buffer.compare)
  }
}

function namesThere(directory: Buffer): Set<string> {
  return new Set(readdirSync(directory, { encoding: 'latin1' }))
}

/** Of the umask nothing shows. */
function makeDirectory(target: Buffer): void {
  try {
    mkdirSync(target, { mode: 0o755 })
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
  }
  if ((lstatSync(target).mode & 0o7777) !== 0o755) chmodSync(target, 0o755)
}

/** Copies what is open, so that a name which becomes a link meanwhile leads nowhere. */
function copyRegular(path: Buffer, source: Buffer, target: Buffer): void {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, COPYFILE_FICLONE } = constants
  const file = openSync(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    for (let round = 0; round < ATTEMPTS; round++) {
      const before = fstatSync(file, { bigint: true })
      if (!before.isFile()) break
      copyFileSync(process.platform === 'linux' ? `/proc/self/fd/${file}` : source, target, COPYFILE_FICLONE)
      const after = fstatSync(file, { bigint: true })
      if (identityOf(after) !== identityOf(before)) continue
      chmodSync(target, before.mode & 0o100n ? 0o755 : 0o644)
      setTimes(target, before)
      return
    }
  } finally {
    closeSync(file)
  }
  throw sourceChanged(shown(path))
}

function setTimes(target: Buffer, { atimeMs, mtimeMs }: BigIntStats): void {
  utimesSync(target, Number(atimeMs) / 1e3, Number(mtimeMs) / 1e3)
}

function attempt<T>(path: Buffer, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) throw unreadable(shown(path) || 'its directory', error)
    if (isSystemError(error, 'ENAMETOOLONG')) throw sourceTooDeep(shown(path))
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'ENXIO', 'ESTALE'))
      throw sourceChanged(shown(path), error)
    throw error
  }
}

/** A name in a message: one line, whatever it is. */
function shown(path: Buffer): string {
  return path.toString().replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

const SLASH = Buffer.from('/')

function under(root: string | Buffer, path: Buffer): Buffer {
  return path.byteLength === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(root), SLASH, path])
}

function checkDirectory(path: string): void {
  try {
    if (!statSync(path).isDirectory()) throw sourceNotDirectory(path)
  } catch (error) {
    if (isSystemError(error, 'EACCES')) throw unreadable(path, error)
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw sourceMissing(path, error)
    throw error
  }
}
