import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { EnvironmentFile } from '#cnb'
import { byBytes, isSystemError } from '#std'
import { linkedInside, listUntrusted, readUntrusted } from './untrusted.ts'

/** An `env/` directory that the user or an operator made: links are followed, sub-directories are not looked into. */
export async function readEnvironmentDirectory(directory: string): Promise<EnvironmentFile[]> {
  const files: EnvironmentFile[] = []
  for (const name of await namesIn(directory)) {
    const path = join(directory, name)
    if (!(await stat(path).catch(() => undefined))?.isFile()) continue
    files.push({ name, content: await readFile(path, 'utf8') })
  }
  return files
}

/**
 * An `env/` directory of a layer. Links are followed only as far as they stay in the layer; what leaves it is not read.
 * Throws a `Problem` (`BUILDPACK_FILE_REFUSED`).
 */
export async function readLayerEnvironment(layer: string, directory: string): Promise<EnvironmentFile[]> {
  const files: EnvironmentFile[] = []
  for (const { name, kind } of await listUntrusted(join(layer, directory))) {
    const path = join(layer, directory, name)
    const file = kind === 'link' ? await linkedInside(layer, path) : kind === 'file' ? path : undefined
    if (file === undefined || !(await stat(file)).isFile()) continue
    const content = await readUntrusted(file)
    if (content !== undefined) files.push({ name, content: content.toString() })
  }
  return files
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted(byBytes)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}
