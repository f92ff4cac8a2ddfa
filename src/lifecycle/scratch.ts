import { rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { emptyDirectory, isSystemError, removeTree } from '#std'
import type { Place, Places } from './executor.ts'

/** A directory with one plan in it, gone when disposed. */
export interface PlanDirectory extends AsyncDisposable {
  /** The directory, which an executable must be given. */
  readonly place: Place
  readonly plan: Place
}

/** Where plans and the like lie while a phase runs. */
export function scratchOf({ scratch, layers }: Places): Place {
  if (scratch) return scratch
  const host = `${layers.host}-scratch`
  return { host, inside: layers.host === layers.inside ? host : '/tmp/lifecycle' }
}

/** Removes that place where nothing is in it any more. */
export async function leaveScratch(places: Places): Promise<void> {
  await rmdir(scratchOf(places).host).catch(error => {
    if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY')) throw error
  })
}

/** Makes a directory that holds `plan.toml` and nothing else, for one executable. `name` must be its own. One that is there already is emptied: it may be mounted somewhere. */
export async function planDirectory(places: Places, name: string, content: string): Promise<PlanDirectory> {
  const scratch = scratchOf(places)
  const place = { host: join(scratch.host, name), inside: `${scratch.inside}/${name}` }
  await emptyDirectory(place.host)
  const plan = { host: join(place.host, 'plan.toml'), inside: `${place.inside}/plan.toml` }
  await writeFile(plan.host, content, { mode: 0o600, flag: 'wx' })
  return { place, plan, [Symbol.asyncDispose]: () => removeTree(place.host) }
}
