import { realpath, stat } from 'node:fs/promises'
import { posix, resolve } from 'node:path'
import type { Mount } from '#sandbox'
import { isSystemError } from '#std'
import { memoryInvalid, networkUnknown, volumeInvalid } from '../problems.ts'

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
}

/** The least that a container engine lets a program have. */
const LEAST = 6 * 2 ** 20

/** Reads a size such as `512m`, `512Mi`, `1.5g` or a number of bytes; units are powers of 1024. Throws a `Problem` (`RUN_MEMORY_INVALID`). */
export function parseMemory(text: string): number {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)([bkmgt]?)(?:i?b?)$/i.exec(text.trim()) ?? []
  const bytes = Math.floor(Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN))
  if (!Number.isSafeInteger(bytes) || bytes < LEAST) throw memoryInvalid(text)
  return bytes
}

/** Reads `host` or `none`. Throws a `Problem` (`RUN_NETWORK_UNKNOWN`). */
export function parseNetwork(text: string | undefined): 'host' | 'none' {
  if (text === undefined || text === 'host') return 'host'
  if (text === 'none') return text
  throw networkUnknown(text)
}

/** Reads `DIRECTORY:/PLACE` or `DIRECTORY:/PLACE:ro`. Throws a `Problem` (`RUN_VOLUME_INVALID`). */
export async function parseVolume(text: string, workingDirectory: string): Promise<Mount> {
  const [, given, inside, mode = 'rw'] = /^(.+?):(\/.*?)(?::(ro|rw))?$/.exec(text) ?? []
  if (given === undefined || inside === undefined) throw volumeInvalid(text, 'it is not DIRECTORY:/PLACE')
  const place = posix.normalize(inside).replace(/(?<=.)\/$/, '')
  try {
    const host = await realpath(resolve(workingDirectory, given))
    const stats = await stat(host)
    if (!stats.isDirectory() && !stats.isFile())
      throw volumeInvalid(text, `${given} is neither a directory nor a file`)
    return { mode: mode === 'ro' ? 'ro' : 'rw', host, inside: place }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP')) throw error
    throw volumeInvalid(text, `${given} ${error.code === 'EACCES' ? 'may not be read' : 'does not exist'}`)
  }
}
