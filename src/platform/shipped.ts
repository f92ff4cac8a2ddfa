import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Catalog, openCatalog } from '#os'

/**
 * Where a file or directory that is shipped beside the program lies (`images`, `launcher`): the nearest one above this file's directory, be it in a
 * checkout (`src`), in its bundle (`dist/cli`) or in a release. Throws a plain `Error` where the program was taken apart.
 */
export function shipped(name: string, from: string = dirname(import.meta.dirname)): string {
  for (let directory = from; ; directory = dirname(directory)) {
    const candidate = join(directory, name)
    if (existsSync(candidate)) return candidate
    if (directory === dirname(directory)) throw new Error(`${name} is not beside the program in ${from}`)
  }
}

let catalog: Catalog | undefined

/** The recipes and locks that slipway is shipped with. */
export function shippedCatalog(): Catalog {
  catalog ??= openCatalog(shipped('images'))
  return catalog
}
