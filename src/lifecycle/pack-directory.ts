import type { Report } from '#std'
import { isDirectory } from './buildpack-layers.ts'
import type { Place } from './executor.ts'
import { placeNotDirectory } from './export-problems.ts'
import { type DirectoryLayer, type LayerRules, parentEntries, unpackable } from './layer-tar.ts'
import { scanTree, type TreeEntry } from './tree.ts'

/** Modes of trees that the lifecycle writes itself, so that no umask shows in them. */
export const PLAIN_MODES = { file: 0o644, directory: 0o755 } as const

/**
 * A directory below `top` as a layer. What a layer cannot hold is left out with a warning.
 * Throws a `Problem` (`PLACE_NOT_DIRECTORY`, `TREE_UNREADABLE`).
 */
export async function packDirectory(
  place: Place,
  top: Place,
  rules: LayerRules,
  report: Report,
  modes?: DirectoryLayer['modes'],
): Promise<DirectoryLayer> {
  if (!isDirectory(top, place)) throw placeNotDirectory(place.inside)
  const layer = await packTree(place, top, rules)
  warnOf(layer.entries, place, report)
  return { ...layer, ...(modes && rules.parents === 'fixed' && { modes }) }
}

/** The same for a directory that is known to be one and may lie anywhere on this machine. */
export async function packTree(place: Place, top: Place, rules: LayerRules): Promise<DirectoryLayer> {
  const entries = await scanTree(place.host)
  return { place, entries, parents: await parentEntries(place, top, rules), owner: rules.owner }
}

/** Says which entries a layer cannot hold. */
function warnOf(entries: readonly TreeEntry[], place: Place, report: Report): void {
  const left = unpackable(entries)
  for (const { path, type } of left.slice(0, 10)) {
    report.warn(
      `Leaving out ${place.inside}/${Buffer.from(path, 'latin1').toString()}: images hold no ${type}s of builds`,
    )
  }
  if (left.length > 10) report.warn(`Leaving out ${left.length - 10} more such entries of ${place.inside}`)
}
