import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '#std'

/** The main attributes of a jar's manifest. */
export interface Manifest {
  /** The value of an attribute; names are compared without regard to case. */
  get(name: string): string | undefined
}

/** Where the manifest stands in a jar, and in a jar that was unpacked. */
export const MANIFEST = 'META-INF/MANIFEST.MF'

/**
 * Reads the main section of a manifest (JAR File Specification, "Manifest Specification"): `Name: value` lines, continued
 * by lines that begin with a blank, up to the first empty line. Lines that are neither do not count.
 */
export function parseManifest(content: Uint8Array): Manifest {
  // A line is cut after 72 bytes, even within a character: only whole values are UTF-8.
  const text = Buffer.from(content).toString('latin1')
  const attributes = new Map<string, string>()
  for (const line of mainSection(text)) {
    const [, name, value] = /^([A-Za-z0-9][\w-]*): ?(.*)$/s.exec(line) ?? []
    if (name === undefined || value === undefined || attributes.has(name.toLowerCase())) continue
    attributes.set(name.toLowerCase(), Buffer.from(value, 'latin1').toString('utf8').trim())
  }
  return { get: name => attributes.get(name.toLowerCase()) }
}

function mainSection(text: string): string[] {
  const lines: string[] = []
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === '') break
    if (line.startsWith(' ') && lines.length > 0) lines.push(lines.pop() + line.slice(1))
    else lines.push(line)
  }
  return lines
}

/** The manifest of a jar that was unpacked into a directory; `undefined` where there is none. */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await readFile(join(directory, MANIFEST)))
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined
    throw error
  }
}
