import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Removes the files of a directory that were changed first, down to half of `limit`, once there are more than that. Others may remove them meanwhile. */
export async function keepNewest(directory: string, limit: number): Promise<void> {
  const names = await readdir(directory)
  if (names.length <= limit) return
  const ages = await Promise.all(
    names.map(async name => {
      const path = join(directory, name)
      return { path, time: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 }
    }),
  )
  const oldest = ages.sort((a, b) => a.time - b.time).slice(0, names.length - Math.floor(limit / 2))
  for (const { path } of oldest) await rm(path, { force: true })
}
