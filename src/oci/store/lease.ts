import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, readIfExists, thisProcess } from '#std'

/** Says that a process relies on what is in the store; ends when disposed or when the process dies. */
export interface Lease extends AsyncDisposable {}

/** Takes a lease. The caller holds the store's lock, so that no collection of garbage is under way. */
export async function takeLease(directory: string): Promise<Lease> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, randomBytes(8).toString('hex'))
  await writeFile(path, await thisProcess(), { flag: 'wx' })
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/** Counts the leases of living processes, and removes those of dead ones. */
export async function liveLeases(directory: string): Promise<number> {
  let live = 0
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name)
    if (await isAlive((await readIfExists(path)) ?? '')) live += 1
    else await rm(path, { force: true })
  }
  return live
}
