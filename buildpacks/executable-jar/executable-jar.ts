import { join } from 'node:path'
import { findFiles, isInside, type Manifest, readJar, readManifest } from '#sdk'

/** A jar with a main class: unpacked into the application directory, or a file in it. */
export interface ExecutableJar {
  readonly mainClass: string
  readonly manifest: Manifest
  /** Relative to the application directory; absent where the jar is unpacked there. */
  readonly file?: string
}

/** Several jars could be meant. */
export interface Ambiguity {
  readonly candidates: readonly string[]
}

/**
 * Finds what can be started. An unpacked jar is the only candidate where there is one; else the jars that match the pattern
 * that the user gave; else those in the top directory.
 */
export async function findExecutableJar(
  application: string,
  pattern: string,
  warn: (text: string) => void,
): Promise<ExecutableJar | Ambiguity | undefined> {
  const manifest = await readManifest(application)
  if (manifest) {
    const mainClass = manifest.get('Main-Class')
    return mainClass ? { mainClass, manifest } : undefined
  }
  const found: ExecutableJar[] = []
  for (const file of await findFiles(application, pattern || '*.jar')) {
    if (!file.endsWith('.jar')) continue
    const jar = await readJar(join(application, file))
    if (jar.unreadable) warn(`${file} cannot be read: ${jar.unreadable}`)
    const mainClass = jar.manifest.get('Main-Class')
    if (mainClass) found.push({ mainClass, manifest: jar.manifest, file })
  }
  if (found.length > 1) return { candidates: found.flatMap(({ file }) => file ?? []) }
  return found[0]
}

/**
 * The class path of an unpacked jar: the directory, then what `Class-Path` of its manifest lists (JAR File Specification),
 * as far as it lies in the directory.
 */
export function classPathOf(application: string, manifest: Manifest): string[] {
  const listed = (manifest.get('Class-Path') ?? '').split(/\s+/).filter(entry => entry !== '')
  const places = listed.map(entry => join(application, decoded(entry)))
  return [application, ...places.filter(place => isInside(application, place))]
}

/** Entries are URLs; what is none is taken as it is written. */
function decoded(entry: string): string {
  try {
    return decodeURIComponent(entry)
  } catch {
    return entry
  }
}
