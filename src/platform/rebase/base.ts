import { homedir } from 'node:os'
import type { LayoutStore, StoredImage } from '#oci'
import { openBases } from '../bases/bases.ts'
import { openMachineArchive } from '../machine/machine-archive.ts'
import { shippedCatalog } from '../shipped.ts'
import type { RebaseRequest } from './rebase.ts'

/** Makes the first of the names that slipway has a recipe for; undefined if it has none for any. A file of its own, because few rebases need what makes bases. */
export async function makeBase(
  request: RebaseRequest & { readonly store: LayoutStore },
  names: readonly string[],
): Promise<{ name: string; image: StoredImage } | undefined> {
  const catalog = shippedCatalog()
  for (const name of names) {
    if (!(await catalog.has(name))) continue
    await using archive = openMachineArchive({ ...request, userHome: homedir(), now: Date.now })
    const bases = openBases({ ...request, catalog, archive: archive.archive })
    const { reference, image } = await bases.image(await bases.find(name))
    return { name: reference, image }
  }
  return undefined
}
