import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { fileBytes } from '#oci'
import { byBytes, isSystemError, Problem, readTar, type TarEntry } from '#std'
import { moduleEntryRefused, moduleInvalid } from './problems.ts'

/** The files of a buildpack, in the order in which they are packaged; names are relative to its top. */
export interface ModuleFiles {
  /** What people call it. */
  readonly place: string
  entries(): AsyncGenerator<TarEntry & { readonly name: Buffer }>
}

/**
 * The files of a directory as pack packages them: depth first, children by the bytes of their names, a file that has a further name as a hard link to the first one,
 * sockets left out. `descriptor` is the text of a buildpack.toml that stands for the one in the directory. Links are never followed.
 */
export function directoryFiles(
  root: string,
  place: string,
  descriptor?: { readonly name: string; readonly text: string },
): ModuleFiles {
  return {
    place,
    async *entries() {
      const first = new Map<bigint, string>()
      for (const path of pathsOf(root, descriptor?.name)) {
        if (path === descriptor?.name) {
          const content = Buffer.from(descriptor.text)
          yield header(path, 'file', 0o644, { size: content.length, content })
          continue
        }
        const entry = entryOf(root, path, first, place)
        if (entry) yield entry
      }
    },
  }
}

/** The files of a tar archive, packed with gzip or not, in its own order. */
export function archiveFiles(file: string, place: string, packed: boolean): ModuleFiles {
  return {
    place,
    async *entries() {
      try {
        for await (const entry of readTar(plainBytes(file, packed))) {
          const { name, type, mode, size, linkname, pax, gnu, content } = entry
          const path = cleaned(name, place)
          if (path === '') continue
          if (type !== 'file' && type !== 'directory' && type !== 'symlink' && type !== 'link')
            throw moduleEntryRefused(place, path, `is a ${type}`)
          // A hard link counts from the top of the archive, a symbolic one stays as it is.
          const target =
            type === 'link' && linkname ? Buffer.from(cleaned(linkname, place), 'latin1') : linkname
          const { uname: _, gname: __, ...records } = pax
          yield {
            ...header(path, type, mode, { size, content: () => content }),
            ...(target && { linkname: target }),
            ...(Object.keys(records).length > 0 && { pax: records }),
            ...(gnu && { gnu }),
          }
        }
      } catch (error) {
        throw asModuleProblem(place, error)
      }
    },
  }
}

/** The bytes of a tar, unpacked if it is packed. */
export function plainBytes(file: string, packed: boolean): AsyncIterable<Uint8Array> {
  const bytes = fileBytes(file)
  return packed ? (pipeline(bytes, createGunzip(), () => {}) as unknown as Readable) : bytes
}

function asModuleProblem(place: string, error: unknown): unknown {
  if (error instanceof Problem && error.code === 'TAR_MALFORMED')
    return moduleInvalid(place, error.why, error)
  if (isSystemError(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR'))
    return moduleInvalid(place, 'its gzip stream is damaged', error)
  return error
}

/** A name of an archive below its top, in latin1; what could lead elsewhere is refused. */
function cleaned(name: Buffer, place: string): string {
  const parts = name
    .toString('latin1')
    .split('/')
    .filter(part => part !== '' && part !== '.')
  if (parts.includes('..'))
    throw moduleEntryRefused(place, Buffer.from(name).toString(), 'could lead out of the buildpack')
  return parts.join('/')
}

/** Every path of a tree but its top, in latin1, with `extra` in its place among those of the top. */
function* pathsOf(root: string, extra: string | undefined): Generator<string> {
  const top = new Set(namesIn(root, ''))
  if (extra !== undefined) top.add(extra)
  const pending = [...top].sort(byLatin1).reverse()
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    yield path
    if (path === extra || !lstatSync(onDisk(root, path)).isDirectory()) continue
    pending.push(
      ...namesIn(root, path)
        .map(name => `${path}/${name}`)
        .reverse(),
    )
  }
}

function namesIn(root: string, path: string): string[] {
  return readdirSync(onDisk(root, path), { encoding: 'latin1' }).sort(byLatin1)
}

function byLatin1(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function entryOf(root: string, path: string, first: Map<bigint, string>, place: string) {
  const file = onDisk(root, path)
  const stats = lstatSync(file, { bigint: true })
  const mode = Number(stats.mode) & 0o7777
  if (stats.isSocket()) return undefined
  if (stats.isDirectory()) return header(path, 'directory', mode)
  const earlier = stats.nlink > 1n ? first.get(stats.ino) : undefined
  if (earlier !== undefined) return header(path, 'link', mode, { linkname: Buffer.from(earlier, 'latin1') })
  first.set(stats.ino, path)
  if (stats.isSymbolicLink())
    return header(path, 'symlink', mode, { linkname: readlinkSync(file, 'buffer') as Buffer })
  if (!stats.isFile()) throw moduleEntryRefused(place, path, 'is neither file, directory nor link')
  return header(path, 'file', mode, { size: Number(stats.size), content: () => createReadStream(file) })
}

function header(
  path: string,
  type: TarEntry['type'],
  mode: number,
  more: Partial<Pick<TarEntry, 'size' | 'content' | 'linkname'>> = {},
): TarEntry & { readonly name: Buffer } {
  return { name: Buffer.from(path, 'latin1'), type, mode, uid: 0, gid: 0, mtime: 0, size: 0, ...more }
}

function onDisk(root: string, path: string): Buffer {
  return path === ''
    ? Buffer.from(root)
    : Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')])
}

/** Sorts modules and their like by the bytes of a text. */
export function sortedBy<Item>(items: Iterable<Item>, text: (item: Item) => string): Item[] {
  return [...items].sort((a, b) => byBytes(text(a), text(b)))
}
