import { constants } from 'node:fs'
import { lstat, mkdir, readdir, readlink, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { byBytes, isInside, isSystemError, openDisposable } from '#std'
import { fileRefused } from './problems.ts'

/*
 * Reading what buildpacks wrote. All their processes are dead when this runs, save those of slipway that wait for their turn, so what is looked at does not change meanwhile;
 * but any name may be a link to somewhere else, a FIFO, or endless.
 */

const TEXT_LIMIT = 4 * 2 ** 20
const MOST_ENTRIES = 100_000

/** The bytes of a plain file, `undefined` where there is none. Links, FIFOs and large files throw a `Problem` (`BUILDPACK_FILE_REFUSED`). */
export async function readUntrusted(path: string, limit = TEXT_LIMIT): Promise<Buffer | undefined> {
  try {
    await using file = await openDisposable(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    const { size } = await checked(path, file.handle.stat(), limit)
    const bytes = Buffer.alloc(size)
    let length = 0
    while (length < size) {
      const { bytesRead } = await file.handle.read(bytes, length, size - length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return bytes.subarray(0, length)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    if (isSystemError(error, 'ELOOP', 'EMLINK')) throw fileRefused(path, 'it is a symbolic link')
    if (isSystemError(error, 'EACCES', 'EPERM')) throw fileRefused(path, 'it may not be read')
    if (isSystemError(error, 'ENXIO', 'ENODEV', 'EISDIR')) throw fileRefused(path, 'it is no plain file')
    throw error
  }
}

/** The text of a plain file, by the rules of `readUntrusted`; bytes that are not UTF-8 are refused too. */
export async function readUntrustedText(path: string, limit = TEXT_LIMIT): Promise<string | undefined> {
  const bytes = await readUntrusted(path, limit)
  if (bytes === undefined) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw fileRefused(path, 'it is not UTF-8 text')
  }
}

/** An entry of a directory, by its own kind: a link is a link. */
export interface UntrustedEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'link' | 'other'
}

/**
 * The entries of a directory in byte order; none where there is no directory, or a link in its place. Names that are not UTF-8
 * are left out: nothing of the specification is named so.
 */
export async function listUntrusted(path: string): Promise<UntrustedEntry[]> {
  if (!(await isDirectoryItself(path))) return []
  try {
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' })
    if (entries.length > MOST_ENTRIES) throw fileRefused(path, `it has more than ${MOST_ENTRIES} entries`)
    return entries
      .filter(({ name }) => Buffer.from(name.toString()).equals(name))
      .map(
        entry =>
          ({
            name: entry.name.toString(),
            kind: entry.isFile()
              ? 'file'
              : entry.isDirectory()
                ? 'directory'
                : entry.isSymbolicLink()
                  ? 'link'
                  : 'other',
          }) as const,
      )
      .toSorted((a, b) => byBytes(a.name, b.name))
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) throw fileRefused(path, 'it may not be read')
    throw error
  }
}

/** True for a directory that is no link to one. */
export async function isDirectoryItself(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false
    throw error
  }
}

/** Makes a directory unless it is there; a link or file in its place throws a `Problem` (`BUILDPACK_FILE_REFUSED`). */
export async function ownDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o755 })
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
    if (!(await isDirectoryItself(path))) throw fileRefused(path, 'it is no directory')
  }
}

/** The file that a link means, if it stays below `root`; `undefined` where it means nothing or leaves. */
export async function linkedInside(root: string, path: string): Promise<string | undefined> {
  try {
    const target = await readlink(path)
    if (target.startsWith('/')) return undefined
    const real = await realpath(resolve(join(path, '..'), target))
    return isInside(await realpath(root), real) ? real : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined
    throw error
  }
}

async function checked(path: string, stat: Promise<{ isFile(): boolean; size: number }>, limit: number) {
  const found = await stat
  if (!found.isFile()) throw fileRefused(path, 'it is no plain file')
  if (found.size > limit) throw fileRefused(path, `it is larger than ${limit} bytes`)
  return found
}
