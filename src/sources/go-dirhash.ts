import { createHash } from 'node:crypto'
import { byBytes, openZip, type ZipArchive, type ZipEntry } from '#std'

const LARGE = 16 * 1024 * 1024

/**
 * The `h1:` digest of a module's zip file (golang.org/x/mod/sumdb/dirhash): a hash over the sorted names and hashes of what is in it,
 * so that it does not matter how the file was packed.
 */
export async function goDirhash(path: string): Promise<string> {
  await using zip = await openZip(path)
  const lines: string[] = []
  for (const entry of zip.entries.toSorted((a, b) => byBytes(a.name, b.name))) {
    if (entry.name.includes('\n')) throw new Error(`a name in ${path} has a line break`)
    lines.push(`${await hashOf(zip, entry)}  ${entry.name}\n`)
  }
  return `h1:${createHash('sha256').update(lines.join('')).digest('base64')}`
}

async function hashOf(zip: ZipArchive, entry: ZipEntry): Promise<string> {
  const hash = createHash('sha256')
  if (entry.size <= LARGE) hash.update(await zip.read(entry, LARGE))
  else for await (const chunk of await zip.stream(entry)) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}
