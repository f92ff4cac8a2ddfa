import { type Cache, openImageCache, openVolumeCache } from '#lifecycle'
import type { Report } from '#std'
import type { PhaseInputs } from './inputs.ts'
import type { PhaseContext } from './phase-context.ts'

/** The cache that the inputs name, in the reference's format: an image, else a directory. Throws a `Problem` (`CACHE_MISSING`). */
export async function openCache({ inputs, places, rules, images }: PhaseContext): Promise<Cache | undefined> {
  const cacheRules = { ...rules, layers: places.layers }
  const { cacheImage: name, cacheDirectory: directory } = inputs
  if (name !== undefined)
    return openImageCache({ store: (await images()).cacheStore(name), name, rules: cacheRules })
  return directory === undefined ? undefined : openVolumeCache(directory, cacheRules)
}

/** Says that every build will be a first one. */
export function sayNoCache({ cacheDirectory, cacheImage }: PhaseInputs, report: Report): void {
  if ((cacheDirectory ?? cacheImage) === undefined)
    report.warn('No cached data will be used, no cache specified.')
}
