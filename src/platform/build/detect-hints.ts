import { join, relative } from 'node:path'
import { DetectFailure, type Detection, type DetectOptions, detect } from '#lifecycle'
import { nearestMisses } from './nearest-miss.ts'

/**
 * Detects, and where nothing passes adds the nearest miss: a file that a buildpack looks for, found in another directory of the app. Throws the
 * `DetectFailure` with other words.
 */
export async function detectWithHints(
  options: DetectOptions,
  directory: string,
  workingDirectory: string,
): Promise<Detection> {
  try {
    return await detect(options)
  } catch (error) {
    if (!(error instanceof DetectFailure)) throw error
    const [nearest] = await nearestMisses(directory)
    if (!nearest) throw error
    const path = relative(workingDirectory, join(directory, nearest.directory))
    throw error.withFix(`Found ${nearest.file} in ${nearest.directory}: use --path ${path}.`)
  }
}
