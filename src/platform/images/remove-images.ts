import type { LayoutStore } from '#oci'
import { imageMissing, noNames } from '../problems.ts'

/**
 * Takes names away; returns those that were there. Unless `lenient`, one that is not there is a `Problem` (`IMAGE_MISSING`, exit code 3)
 * and none is removed.
 */
export async function removeImages(
  store: LayoutStore,
  names: readonly string[],
  lenient: boolean,
): Promise<string[]> {
  if (names.length === 0) throw noNames()
  for (const name of lenient ? [] : names) {
    if (!(await store.resolve(name))) throw imageMissing(name)
  }
  return store.remove(names)
}
