import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SBOM_FORMATS } from '#cnb'
import { isSystemError } from '#std'
import { below, isDirectory } from './buildpack-layers.ts'
import type { Place } from './executor.ts'

/**
 * Copies the bills of materials of the lifecycle, and of the launcher where the image has one, beside those of the buildpacks (CNB platform
 * specification, "Exporter"). Formats that are not there are passed over.
 */
export async function copyLifecycleSboms(from: string, layers: Place, launcher: boolean): Promise<void> {
  await copyEach(join(from, 'lifecycle'), layers, ['sbom', 'build', 'buildpacksio_lifecycle'])
  if (launcher)
    await copyEach(join(from, 'launcher'), layers, ['sbom', 'launch', 'buildpacksio_lifecycle', 'launcher'])
}

async function copyEach(source: string, layers: Place, steps: readonly string[]): Promise<void> {
  for (const { extension } of SBOM_FORMATS) {
    const bytes = await readFile(`${source}.sbom.${extension}`).catch(error => {
      if (isSystemError(error, 'ENOENT')) return undefined
      throw error
    })
    if (!bytes) continue
    const target = steps.reduce(below, layers)
    // Looks at each step, so that nothing is written through a link.
    if (!isDirectory(layers, target)) await mkdir(target.host, { recursive: true })
    const file = join(target.host, `sbom.${extension}`)
    await rm(file, { force: true })
    await writeFile(file, bytes, { flag: 'wx' })
  }
}
