import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import {
  chmod,
  type FileHandle,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { Writable } from 'node:stream'
import { isSystemError } from './problem.ts'

/** A directory that is gone, with all it holds, when disposed. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

/** Makes a fresh directory (mode 0700) below `parent`, which is created if missing. */
export async function temporaryDirectory(parent: string, prefix = 'tmp-'): Promise<TemporaryDirectory> {
  await mkdir(parent, { recursive: true })
  const path = await mkdtemp(join(parent, prefix))
  return { path, [Symbol.asyncDispose]: () => removeTree(path) }
}

/** Removes a tree even where directories in it are not writable. A missing tree is fine. */
export async function removeTree(path: string | Buffer): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 2 })
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw error
    await makeRemovable(path)
    await rm(path, { recursive: true, force: true, maxRetries: 2 })
  }
}

/**
 * A stream into a file that was not there before, and is when this resolves: so whoever takes the file away after a failure finds it. (`createWriteStream` makes it at some later time, even
 * after what should have gone into it has failed.) Throws what `open` throws.
 */
export async function streamToNewFile(path: string, mode = 0o644): Promise<Writable> {
  return (await open(path, 'wx', mode)).createWriteStream()
}

/** Makes a directory unless it is there, and removes all that is in it; the directory itself stays the same one. */
export async function emptyDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true })
  for (const name of await readdir(path, { encoding: 'buffer' }))
    await removeTree(Buffer.concat([Buffer.from(`${path}/`), name]))
}

/** What the first attempt has begun to remove may go on vanishing meanwhile. */
async function makeRemovable(path: string | Buffer): Promise<void> {
  try {
    if (!(await lstat(path)).isDirectory()) return
    await chmod(path, 0o700)
    for (const entry of await readdir(path, { withFileTypes: true, encoding: 'buffer' })) {
      if (entry.isDirectory())
        await makeRemovable(Buffer.concat([Buffer.from(path), Buffer.from('/'), entry.name]))
    }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error
  }
}

/**
 * Replaces a file so that a reader, or a machine that loses power, sees the old content or the new, never half:
 * write beside it, fsync, rename, fsync the directory.
 */
export async function writeDurably(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true })
  const staged = join(directory, `.${randomBytes(8).toString('hex')}.tmp`)
  try {
    await using file = await openDisposable(staged, 'wx', mode)
    await file.handle.writeFile(content)
    await file.handle.sync()
    await rename(staged, path)
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
  await syncDirectory(directory)
}

/**
 * Replaces a file so that a reader sees the old content or the new. Nothing waits for the disk: after a loss of power it may be anything, so this is for what
 * can be found out again.
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true })
  const staged = join(directory, `.${randomBytes(8).toString('hex')}.tmp`)
  try {
    await writeFile(staged, content, { flag: 'wx' })
    await rename(staged, path)
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
}

/** Makes renames and creations in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await openDisposable(path, 'r')
  await directory.handle.sync()
}

/** A file handle that closes itself (`FileHandle` is disposable only in newer Node releases). */
export async function openDisposable(
  path: string | Buffer,
  flags: string | number,
  mode?: number,
): Promise<AsyncDisposable & { readonly handle: FileHandle }> {
  const handle = await open(path, flags, mode)
  return { handle, [Symbol.asyncDispose]: () => handle.close() }
}

/** The text of a file, or `undefined` where there is no such file. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** True if `path` is `root` or lies below it. Both absolute; decided on the text alone, links are not followed. */
export function isInside(root: string, path: string): boolean {
  const between = relative(root, path)
  return between === '' || (between !== '..' && !between.startsWith(`..${sep}`) && !between.startsWith('/'))
}

/** True if there is a plain file at a path, links followed. */
export async function isFile(path: string): Promise<boolean> {
  return (await statIfExists(path))?.isFile() === true
}

/** True if there is a directory at a path, links followed. */
export async function isDirectory(path: string): Promise<boolean> {
  return (await statIfExists(path))?.isDirectory() === true
}

async function statIfExists(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** True if a file begins as gzip does (RFC 1952, 2.3.1). Throws the system's error where it cannot be read. */
export async function isGzip(path: string): Promise<boolean> {
  await using file = await openDisposable(path, 'r')
  const { buffer, bytesRead } = await file.handle.read(Buffer.alloc(2), 0, 2, 0)
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
}
