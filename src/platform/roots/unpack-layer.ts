import { constants } from 'node:fs'
import { chmod, link, lutimes, mkdir, symlink, writeFile } from 'node:fs/promises'
import { isSystemError, openDisposable, type ReadEntry, readTar, removeTree } from '#std'
import { layerRefused } from '../problems.ts'

/** Bytes of a path that Linux takes at a time (PATH_MAX). */
const LONGEST = 4095

/** What a layer says of the layers below it. Paths are relative, bytes as latin1, without a leading slash. */
export interface LayerNotes {
  /** Paths that it removes (`.wh.NAME`). */
  readonly whiteouts: readonly string[]
  /** Directories of which it hides all that is below (`.wh..wh..opq`). */
  readonly opaque: readonly string[]
  /** Directories that it has no entry for, only entries in them. */
  readonly implied: readonly string[]
}

type Kind = 'directory' | 'file' | 'symlink'

/** Files up to this size are written while the next entries are read. */
const SMALL = 1 << 20
const AT_ONCE = 24

/**
 * Unpacks a layer's tar (OCI image-spec layer.md) into an empty directory that nobody else writes to. Every name is looked up in what this function
 * itself has made, so no link is ever followed: a path through one is refused. Ownership is forgotten, set-id bits are dropped, devices,
 * FIFOs and extended attributes are left out. Throws a `Problem` (`LAYER_REFUSED`, `TAR_MALFORMED`).
 */
export async function unpackLayer(tar: AsyncIterable<Uint8Array>, directory: string): Promise<LayerNotes> {
  const made = new Map<string, Kind>([['', 'directory']])
  const whiteouts: string[] = []
  const opaque: string[] = []
  const implied = new Set<string>()
  const pending: Promise<void>[] = []
  const at = (path: string) => Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')])
  const settle = async () => void (await Promise.all(pending.splice(0)))

  try {
    for await (const entry of readTar(tar)) await take(entry)
    await settle()
  } finally {
    // Nothing is written any more once this has returned or thrown.
    await Promise.allSettled(pending)
  }
  return { whiteouts, opaque, implied: [...implied] }

  async function take(entry: ReadEntry): Promise<void> {
    const path = plainPath(entry.name)
    const slash = path.lastIndexOf('/')
    const parent = slash < 0 ? '' : path.slice(0, slash)
    const name = path.slice(slash + 1)
    if (path === '') {
      if (entry.type !== 'directory') throw layerRefused('/', 'the root is not a directory in it')
      return
    }
    if (name.startsWith('.wh.')) {
      if (name === '.wh..wh..opq') opaque.push(parent)
      else if (!name.startsWith('.wh..wh.')) whiteouts.push(hidden(path, parent, name.slice(4)))
      return
    }
    // Said before any of the directories above is made: there may be thousands.
    if (path.length > LONGEST)
      throw layerRefused(path.slice(0, 100), `ENAMETOOLONG: it has ${path.length} bytes`)
    try {
      await makeParents(parent)
      await put(entry, path)
    } catch (error) {
      throw impossible(path, error)
    }
  }

  async function makeParents(path: string): Promise<void> {
    if (made.get(path) === 'directory') return
    const steps = path.split('/')
    for (let count = 1; count <= steps.length; count++) {
      const ancestor = steps.slice(0, count).join('/')
      const kind = made.get(ancestor)
      if (kind === 'directory') continue
      if (kind !== undefined)
        throw layerRefused(path, `${ancestor} is a ${kind} in the same layer, not a directory`)
      await mkdir(at(ancestor), { mode: 0o755 })
      made.set(ancestor, 'directory')
      implied.add(ancestor)
    }
  }

  async function put(entry: ReadEntry, path: string): Promise<void> {
    const before = made.get(path)
    if (before !== undefined && !(before === 'directory' && entry.type === 'directory'))
      await forget(path, before)
    const mode = entry.mode & 0o1777
    switch (entry.type) {
      case 'directory':
        if (made.get(path) !== 'directory') await mkdir(at(path))
        await chmod(at(path), mode | 0o700)
        made.set(path, 'directory')
        implied.delete(path)
        return
      case 'symlink':
        await symlink(entry.linkname ?? Buffer.alloc(0), at(path))
        made.set(path, 'symlink')
        return
      case 'link': {
        const target = plainPath(entry.linkname ?? Buffer.alloc(0))
        const kind = made.get(target)
        if (kind !== 'file' && kind !== 'symlink')
          throw layerRefused(path, `it is a second name of ${target}, which is no file of the layer`)
        await settle()
        await link(at(target), at(path))
        made.set(path, kind)
        return
      }
      case 'file':
        made.set(path, 'file')
        return write(entry, path, mode)
      default:
        return
    }
  }

  async function write(entry: ReadEntry, path: string, mode: number): Promise<void> {
    const finish = async () => {
      await chmod(at(path), mode)
      await lutimes(at(path), entry.mtime, entry.mtime)
    }
    if (entry.size > SMALL) {
      await using file = await openDisposable(
        at(path),
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
        0o600,
      )
      for await (const part of entry.content) await file.handle.writeFile(part)
      return await finish()
    }
    const parts: Uint8Array[] = []
    for await (const part of entry.content) parts.push(part)
    if (pending.length >= AT_ONCE) await settle()
    const writing = writeFile(at(path), Buffer.concat(parts), { flag: 'wx', mode: 0o600 })
      .then(finish)
      .catch(error => {
        throw impossible(path, error)
      })
    // Awaited by `settle`; a failure must not count as unhandled while more of the tar is waited for.
    writing.catch(() => {})
    pending.push(writing)
  }

  /** A later entry of the same name takes the place of an earlier one. */
  async function forget(path: string, kind: Kind): Promise<void> {
    await settle()
    if (kind === 'directory')
      for (const each of made.keys()) if (each.startsWith(`${path}/`)) made.delete(each)
    made.delete(path)
    await removeTree(at(path) as unknown as string)
  }
}

/** What no file system can hold is the fault of the layer; anything else stays the error that it was. */
function impossible(path: string, error: unknown): unknown {
  return isSystemError(error, 'ENAMETOOLONG', 'EINVAL', 'ENOENT', 'EEXIST', 'EILSEQ')
    ? layerRefused(path, `no file or link can be made so (${error.code})`)
    : error
}

/** The path of an entry below the root, or a refusal if it has `..` in it. */
function plainPath(name: Buffer): string {
  const steps = name
    .toString('latin1')
    .split('/')
    .filter(step => step !== '' && step !== '.')
  if (steps.includes('..')) throw layerRefused(steps.join('/'), 'its path leads upwards')
  return steps.join('/')
}

function hidden(path: string, parent: string, name: string): string {
  if (name === '' || name === '.' || name === '..') throw layerRefused(path, 'it removes no name')
  return parent === '' ? name : `${parent}/${name}`
}
