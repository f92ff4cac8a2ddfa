import { open } from 'node:fs/promises'
import { readDeb, readDebControl, type UnxzPool } from '#sources'
import type { TarType } from '#std'
import { unpackRefused } from './problems.ts'

/** A file, directory or link of a package. Its bytes, if any, stand in the spool of the package. */
export interface DecodedEntry {
  /** Path below the root as latin1, without a leading slash, `usr` merged. */
  readonly path: string
  readonly type: TarType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Target of a symbolic link as written; of a hard link as a path like `path`. Latin1. */
  readonly target?: string
  readonly offset: number
  readonly size: number
}

export interface DecodedPackage {
  readonly entries: readonly DecodedEntry[]
  /** Control files by name. */
  readonly control: ReadonlyMap<string, string>
}

/** True for a path that is wanted. */
export type Keep = (path: string) => boolean

const GATHER = 1 << 20

/**
 * Decodes a package: what it contains is listed, and the bytes of its files are written one after the other to `spool`.
 * No name from the package reaches the disk. Throws a `Problem` for a package that is damaged or has names that lead upwards.
 */
export async function decodePackage(
  path: string,
  spool: string,
  keep: Keep,
  pool?: UnxzPool,
): Promise<DecodedPackage> {
  const entries: DecodedEntry[] = []
  const file = await open(spool, 'wx', 0o600)
  try {
    let offset = 0
    let gathered: Uint8Array[] = []
    let length = 0
    const flush = async () => {
      if (length > 0) await file.writeFile(Buffer.concat(gathered, length))
      gathered = []
      length = 0
    }
    for await (const entry of readDeb(path, pool)) {
      const name = mergedPath(entry.name, path)
      if (name === '' || !keep(name)) continue
      const { type, mode, uid, gid, size, linkname } = entry
      const target = linkname && (type === 'link' ? mergedPath(linkname, path) : linkname.toString('latin1'))
      entries.push({
        path: name,
        type,
        mode,
        uid,
        gid,
        size,
        offset,
        ...(target === undefined ? {} : { target }),
      })
      for await (const chunk of entry.content) {
        gathered.push(chunk)
        length += chunk.byteLength
        if (length >= GATHER) await flush()
      }
      offset += size
    }
    await flush()
  } finally {
    await file.close()
  }
  return { entries, control: await readDebControl(path) }
}

/** Older packages still say `lib/…` where the merged file system has `usr/lib/…`. */
function mergedPath(name: Buffer, source: string): string {
  const steps = name
    .toString('latin1')
    .split('/')
    .filter(step => step !== '' && step !== '.')
  if (steps.includes('..')) throw unpackRefused(source, 'it has a path that leads upwards')
  if (steps.some(step => step.length > 255))
    throw unpackRefused(source, 'it has a name of more than 255 bytes')
  const path = steps.join('/')
  if (path.length > 1000) throw unpackRefused(source, 'it has a path of more than 1000 bytes')
  return path.replace(/^(?:s?bin|lib(?:32|64|x32)?)(?=\/)/, 'usr/$&')
}
