import { type Cache, openVolumeCache } from '#lifecycle'
import type { Report } from '#std'
import type { PhaseInputs } from './inputs.ts'
import type { PhaseContext } from './phase-context.ts'
import { inputInvalid } from './problems.ts'

/** The cache that the inputs name, in the reference's format: an image, else a directory. Throws a `Problem` (`CACHE_MISSING`). */
export async function openCache({ inputs, places, rules }: PhaseContext): Promise<Cache | undefined> {
  if (inputs.cacheImage !== undefined) throw inputInvalid('cache images are not there yet', 'Use -cache-dir.')
  return inputs.cacheDirectory === undefined
    ? undefined
    : openVolumeCache(inputs.cacheDirectory, { ...rules, layers: places.layers })
}

/** Says that every build will be a first one. */
export function sayNoCache({ cacheDirectory, cacheImage }: PhaseInputs, report: Report): void {
  if ((cacheDirectory ?? cacheImage) === undefined)
    report.warn('No cached data will be used, no cache specified.')
}
