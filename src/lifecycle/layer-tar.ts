import { closeSync, constants, openSync, readSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { openDisposable, packTar, type TarEntry } from '#std'
import type { Place } from './executor.ts'
import { treeUnreadable } from './export-problems.ts'
import { pathOnDisk, type TreeEntry } from './tree.ts'

/** 1980-01-01T00:00:01Z, the time that every entry of a layer carries. */
export const NORMAL_TIME = 315_532_801

/** Numbers of the user and the group that own what a build makes (`CNB_USER_ID`, `CNB_GROUP_ID`). */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** What is the same for all layers of one image. */
export interface LayerRules {
  readonly owner: Owner
  /**
   * How the directories above a layer are written. `disk`: as they are found on disk, like the reference does. `fixed`: the layers and
   * app directories and what is below them with mode 0755 and the owner of the build, and nothing above; for builds in which a
   * host directory stands for them, whose owner and mode say nothing.
   */
  readonly parents: 'fixed' | 'disk'
}

/** A directory on its way into a layer. */
export interface DirectoryLayer {
  /** The directory that the names of the entries start from. */
  readonly place: Place
  /** The entries to write, in this order, paths below the place. */
  readonly entries: readonly TreeEntry[]
  /** Headers of the directories above. */
  readonly parents: readonly TarEntry[]
  readonly owner: Owner
  /** Modes that hold for all: for trees that the lifecycle itself writes, so that no umask shows in them. */
  readonly modes?: { readonly file: number; readonly directory: number }
  /** Mode of the place itself, where the one on disk says nothing. */
  readonly rootMode?: number
}

/** Files up to this size are read at once, larger ones in pieces of this size. */
const PIECE = 1 << 20

/**
 * The tar of a directory layer, byte for byte the reference's (package `layers` of buildpacks/lifecycle): absolute names,
 * directories without a trailing slash, parents first, modes as on disk, one owner, one time, hard links as files of their own.
 * Sockets, FIFOs and devices are left out (the reference writes the last two, and then cannot restore them from its cache).
 */
export function layerTar(layer: DirectoryLayer): Readable {
  return packTar(tarEntries(layer))
}

/** Entries that a layer cannot hold. */
export function unpackable(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.filter(({ type }) => type !== 'file' && type !== 'directory' && type !== 'symlink')
}

function* tarEntries(layer: DirectoryLayer): Generator<TarEntry> {
  yield* layer.parents
  for (const entry of layer.entries) {
    if (entry.type !== 'file' && entry.type !== 'directory' && entry.type !== 'symlink') continue
    yield {
      name: nameInside(layer.place.inside, entry.path),
      type: entry.type,
      mode: modeOf(layer, entry),
      ...layer.owner,
      mtime: NORMAL_TIME,
      size: entry.size,
      ...(entry.linkname !== undefined && { linkname: Buffer.from(entry.linkname, 'latin1') }),
      ...(entry.size > 0 && { content: contentOf(pathOnDisk(layer.place.host, entry.path), entry.size) }),
    }
  }
}

/** The mode that an entry has in the tar. */
export function modeOf(
  { modes, rootMode }: Pick<DirectoryLayer, 'modes' | 'rootMode'>,
  entry: TreeEntry,
): number {
  if (entry.type === 'symlink') return 0o777
  if (entry.path === '' && rootMode !== undefined) return rootMode
  if (modes) return entry.type === 'directory' ? modes.directory : modes.file
  return entry.mode
}

/**
 * Headers of the directories above `place`, outermost first (contract of the reference: all ancestors but `/`). With fixed parents
 * those above `top` are left out, since nobody knows how they are in the run image.
 */
export async function parentEntries(place: Place, top: Place, rules: LayerRules): Promise<TarEntry[]> {
  const names: string[] = []
  for (let name = dirname(place.inside); name !== '/'; name = dirname(name)) names.unshift(name)
  if (rules.parents === 'fixed') {
    return names
      .filter(name => name === top.inside || name.startsWith(`${top.inside}/`))
      .map(name => directoryEntry(name, 0o755, rules.owner))
  }
  return Promise.all(
    names.map(async name => {
      const { mode, uid, gid } = await stat(name)
      return directoryEntry(name, mode & 0o7777, { uid, gid })
    }),
  )
}

/** The header of a directory. */
export function directoryEntry(name: string, mode: number, owner: Owner): TarEntry {
  return { name, type: 'directory', mode, ...owner, mtime: NORMAL_TIME, size: 0 }
}

function nameInside(inside: string, path: string): Buffer {
  return path === ''
    ? Buffer.from(inside)
    : Buffer.concat([Buffer.from(`${inside}/`), Buffer.from(path, 'latin1')])
}

function contentOf(path: string | Buffer, size: number): Uint8Array | (() => AsyncIterable<Uint8Array>) {
  return size <= PIECE ? readWhole(path, size) : () => readPieces(path)
}

const READ = constants.O_RDONLY | constants.O_NOFOLLOW

/** Reads a small file in one go, a byte further than announced so that growth is noticed. */
function readWhole(path: string | Buffer, size: number): Uint8Array {
  try {
    const file = openSync(path, READ)
    try {
      const bytes = Buffer.allocUnsafe(size + 1)
      let length = 0
      for (let read = -1; read !== 0 && length <= size; length += read)
        read = readSync(file, bytes, length, size + 1 - length, null)
      return bytes.subarray(0, length)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw treeUnreadable(path, error)
  }
}

async function* readPieces(path: string | Buffer): AsyncGenerator<Uint8Array> {
  try {
    await using file = await openDisposable(path, READ)
    for (;;) {
      const { bytesRead, buffer } = await file.handle.read(Buffer.allocUnsafe(PIECE), 0, PIECE, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } catch (error) {
    throw treeUnreadable(path, error)
  }
}
