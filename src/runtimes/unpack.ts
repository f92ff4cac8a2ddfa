import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Digesting, hexOf, openZip, type ReadEntry, readTar, streamToNewFile, type TarLimits } from '#std'
import { archiveRefused, archiveTooLarge } from './problems.ts'
import { follow, place, type Tree, type TreeFile, targetOf, treePath } from './tree.ts'

/** What one archive of a runtime may unpack to. */
export interface UnpackLimits {
  readonly entries: number
  readonly bytes: number
}

/** Room for the largest runtime there is (a JDK), four times. */
export const UNPACK_LIMITS: UnpackLimits = { entries: 100_000, bytes: 2 * 2 ** 30 }

/**
 * A directory that takes the contents of archives under numbers. No name that an archive chose ever reaches the disk
 * here: names live in a `Tree` in memory, and only a finished, checked tree is written out.
 */
export interface Staging {
  readonly directory: string
  /** How many contents are there; the next one gets this number. */
  count: number
}

/** Takes one file's bytes, hashing them as they pass. */
export async function stage(
  staging: Staging,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  executable: boolean,
): Promise<TreeFile> {
  const path = join(staging.directory, String(staging.count++))
  const hash = new Digesting()
  await pipeline(content, hash, await streamToNewFile(path, 0o600))
  return { type: 'file', content: path, sha256: hexOf(hash.digest()), size: hash.size, executable }
}

/** Unpacks a gzipped tar file. Absolute names, `..`, devices, and entries that pass through links are refused. */
export async function unpackTarGz(
  path: string,
  tree: Tree,
  staging: Staging,
  archive: string,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<void> {
  const source = createReadStream(path)
  const plain = createGunzip()
  const flow = pipeline(source, plain)
  const tarLimits: TarLimits = { ...limits, headerBytes: 1 << 20 }
  await Promise.all([unpackEntries(readTar(plain, tarLimits), tree, staging, archive), flow])
}

/** Puts the entries of a tar into a tree; `rename` may move a path or, by `undefined`, leave it out. */
export async function unpackEntries(
  entries: AsyncIterable<ReadEntry>,
  tree: Tree,
  staging: Staging,
  archive: string,
  rename: (path: string) => string | undefined = path => path,
): Promise<void> {
  for await (const entry of entries) {
    const name = entry.name.toString('utf8')
    const path = rename(treePath(name, archive))
    if (path === undefined) continue
    if (entry.type === 'directory') place(tree, path, { type: 'directory' }, archive)
    else if (entry.type === 'file') {
      place(tree, path, await stage(staging, entry.content, (entry.mode & 0o111) !== 0), archive)
    } else if (entry.type === 'symlink')
      place(tree, path, linkTo(entry.linkname?.toString('utf8') ?? '', name, archive), archive)
    else if (entry.type === 'link') {
      const target = treePath(entry.linkname?.toString('utf8') ?? '', archive)
      const node = tree.get(rename(target) ?? target)
      if (node?.type !== 'file') throw archiveRefused(archive, name, 'is a hard link to no file before it')
      place(tree, path, node, archive)
    } else throw archiveRefused(archive, name, `is a ${entry.type}, which no runtime has`)
  }
}

/** Unpacks a zip file by the same rules. Modes are kept where the archive has them. */
export async function unpackZip(
  path: string,
  tree: Tree,
  staging: Staging,
  archive: string,
  {
    limits = UNPACK_LIMITS,
    rename = name => name,
  }: { readonly limits?: UnpackLimits; readonly rename?: (path: string) => string | undefined } = {},
): Promise<void> {
  await using zip = await openZip(path, limits)
  for (const entry of zip.entries) {
    const at = rename(treePath(entry.name, archive))
    if (at === undefined) continue
    if (entry.type === 'directory') place(tree, at, { type: 'directory' }, archive)
    else if (entry.type === 'symlink') {
      place(tree, at, linkTo((await zip.read(entry, 4096)).toString('utf8'), entry.name, archive), archive)
    } else {
      const executable = ((entry.mode ?? 0) & 0o111) !== 0
      place(tree, at, await stage(staging, await zip.stream(entry), executable), archive)
    }
  }
}

/** Refuses links that climb out of what was unpacked; to be asked of archives that are used as they are. */
export function refuseEscapes(tree: Tree, archive: string): void {
  for (const [path, node] of tree) {
    if (node.type !== 'symlink') continue
    if (node.target.startsWith('/') || targetOf(path, node.target) === undefined) {
      throw archiveRefused(archive, path, 'is a link that leads out of the archive')
    }
    if (follow(tree, path) === undefined) throw archiveRefused(archive, path, 'is a link that leads nowhere')
  }
}

function linkTo(target: string, name: string, archive: string): { type: 'symlink'; target: string } {
  if (target === '' || target.length > 2000 || /[\u0000-\u001f\ufffd]/.test(target)) {
    throw archiveRefused(archive, name, 'is a link without a usable target')
  }
  return { type: 'symlink', target }
}

/** The total size of the files in a tree; throws beyond the limit. */
export function sizeOf(tree: Tree, archive: string, limit = 4 * 2 ** 30): number {
  let size = 0
  for (const node of tree.values()) if (node.type === 'file') size += node.size
  if (size > limit) throw archiveTooLarge(archive, `${limit} bytes`)
  return size
}
