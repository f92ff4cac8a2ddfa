import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openZip, streamToNewFile, type ZipArchive, type ZipEntry } from '#std'
import { archiveEscapes } from './problems.ts'

/** Entries up to this size are read whole. */
const SMALL = 16 << 20

/**
 * Unpacks a zip (jar, war) into a directory: directories 0755, files 0755 where the archive says that they are programs,
 * else 0644. The first of entries with one name counts. Throws a `Problem` (`ARCHIVE_REFUSED`, `ZIP_MALFORMED`) for what
 * would be written elsewhere; nothing is written through links.
 */
export async function explodeZip(file: string, directory: string): Promise<void> {
  await using archive = await openZip(file)
  const entries = new Map<string, ZipEntry>()
  for (const entry of archive.entries) {
    const path = pathOf(entry.name, file)
    if (path !== '' && !entries.has(path)) entries.set(path, entry)
  }
  for (const path of entries.keys()) {
    const parents = path.split('/').map((_, index, parts) => parts.slice(0, index).join('/'))
    if (parents.some(parent => (entries.get(parent)?.type ?? 'directory') !== 'directory'))
      throw archiveEscapes(file, path)
  }
  await mkdir(directory, { recursive: true })
  for (const [path, entry] of entries)
    if (entry.type !== 'symlink') await unpack(archive, entry, join(directory, path))
  for (const [path, entry] of entries) {
    if (entry.type !== 'symlink') continue
    const target = (await archive.read(entry, 4096)).toString('utf8')
    if (target.startsWith('/') || climbs(join(dirname(path), target))) throw archiveEscapes(file, path)
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await symlink(target, join(directory, path))
  }
}

async function unpack(archive: ZipArchive, entry: ZipEntry, target: string): Promise<void> {
  if (entry.type === 'directory') return void (await mkdir(target, { recursive: true, mode: 0o755 }))
  await mkdir(dirname(target), { recursive: true, mode: 0o755 })
  const mode = ((entry.mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644
  if (entry.size <= SMALL) await writeFile(target, await archive.read(entry), { flag: 'wx', mode })
  else await pipeline(await archive.stream(entry), await streamToNewFile(target, mode))
  await chmod(target, mode)
}

function pathOf(name: string, archive: string): string {
  const path = normalize(name)
    .replace(/^\.?\/*$/, '')
    .replace(/\/+$/, '')
  if (name.startsWith('/') || name.includes('\\') || name.includes('\0') || climbs(path))
    throw archiveEscapes(archive, name)
  return path
}

function climbs(path: string): boolean {
  const clean = normalize(path)
  return clean === '..' || clean.startsWith('../')
}
