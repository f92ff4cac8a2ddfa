import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { byBytes, explodeZip, removeTree } from '#sdk'

/**
 * Puts the content of a jar where the jar is: into the application directory, whatever directory below it the jar lay in. Returns the name of
 * a file of the app that is in the way, and then changes nothing.
 */
export async function unpackInPlace(application: string, jar: string): Promise<string | undefined> {
  const staging = await mkdtemp(join(application, '.unpacking-'))
  try {
    await explodeZip(join(application, jar), staging)
    const there = new Set(await readdir(application))
    const names = (await readdir(staging)).sort(byBytes)
    const inTheWay = names.find(name => there.has(name))
    if (inTheWay !== undefined) return inTheWay
    for (const name of names) await rename(join(staging, name), join(application, name))
    await rm(join(application, jar))
    return undefined
  } finally {
    await removeTree(staging)
  }
}
