import { cp, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageReport } from '#cnb'
import type { Places } from '#lifecycle'
import { isSystemError, writeDurably } from '#std'
import type { BuildRequest } from './request.ts'
import type { BuiltImage } from './target.ts'

/** What a report.toml says of an image. */
export function reportOf(tags: readonly string[], image: BuiltImage): ImageReport {
  const { digest, manifestSize, imageId } = image
  return imageId === undefined ? { tags, digest, manifestSize } : { tags, imageId }
}

/**
 * Copies report.toml and the bills of materials of a build to where the person wants them: `<directory>/report.toml`, and the contents of
 * `<layers>/sbom` (`launch/`, `build/`, `cache/`).
 */
export async function copyOut(
  { reportDirectory, sbomDirectory }: BuildRequest,
  { layers }: Places,
): Promise<void> {
  if (reportDirectory !== undefined) {
    const report = await readFile(join(layers.host, 'report.toml'))
    await writeDurably(join(reportDirectory, 'report.toml'), report)
  }
  if (sbomDirectory === undefined) return
  await mkdir(sbomDirectory, { recursive: true })
  try {
    // The lifecycle wrote it; what buildpacks wrote is copied there as plain files.
    await cp(join(layers.host, 'sbom'), sbomDirectory, { recursive: true, verbatimSymlinks: true })
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
