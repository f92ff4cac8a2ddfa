import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeId, SBOM_FORMATS } from '#cnb'
import { Problem, removeTree } from '#std'
import type { CacheMetadata } from './cache.ts'
import type { Place } from './executor.ts'
import { extractLayer } from './extract-layer.ts'
import type { RestoredBuildpack, RestoreOptions } from './restore.ts'
import { leaveScratch, scratchOf } from './scratch.ts'
import { isDirectoryItself, readUntrusted } from './untrusted.ts'

const LARGEST_BILL = 256 * 2 ** 20

/**
 * Gives restored layers their bills of materials back: those of the cache first, then those of the image, which say more about
 * launch layers. A bill that is lost is a warning, never a failure.
 */
export async function restoreBills(
  options: RestoreOptions & {
    readonly cached: CacheMetadata | undefined
    readonly restored: readonly RestoredBuildpack[]
  },
): Promise<void> {
  const { places, cache, cached, restored, launchBills, report } = options
  if (restored.every(({ layers }) => layers.length === 0)) return
  const scratch = scratchOf(places)
  try {
    const cacheBills = join(scratch.host, 'bills-cache')
    if (cache && cached?.sbom) {
      const inside = `${places.layers.inside}/sbom/cache`
      if (await cache.restoreLayer(cached.sbom.sha, cacheBills, inside)) await copyBills(cacheBills, restored)
      else report.warn('The bills of materials of cached layers are missing or damaged in the cache.')
    }
    const image = { host: join(scratch.host, 'bills-launch'), inside: `${places.layers.inside}/sbom/launch` }
    if (launchBills !== undefined) await copyBills(launchBills, restored)
    else if (await extractFromImage(options, image)) await copyBills(image.host, restored)
  } finally {
    for (const name of ['bills-cache', 'bills-launch']) await removeTree(join(scratch.host, name))
    await leaveScratch(places)
  }
}

async function extractFromImage(
  { previous, analyzed, report }: RestoreOptions,
  place: Place,
): Promise<boolean> {
  const sha = analyzed.metadata.sbom?.sha
  const layer = sha === undefined ? undefined : previous?.layers.find(({ diffId }) => diffId === sha)
  if (!layer) return false
  try {
    await extractLayer(await layer.uncompressed(), place)
    return true
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    report.warn(`The bills of materials of the app image cannot be restored: ${error.why}`)
    return false
  }
}

/** `<buildpack>/<layer>/sbom.cdx.json` to `<layers>/<buildpack>/<layer>.sbom.cdx.json`. */
async function copyBills(from: string, restored: readonly RestoredBuildpack[]): Promise<void> {
  for (const { member, directory, layers } of restored) {
    const bills = join(from, escapeId(member.id))
    if (!(await isDirectoryItself(bills))) continue
    for (const layer of layers) {
      if (!(await isDirectoryItself(join(bills, layer)))) continue
      for (const { extension } of SBOM_FORMATS) {
        const bill = await readUntrusted(join(bills, layer, `sbom.${extension}`), LARGEST_BILL)
        if (bill) await writeFile(join(directory.host, `${layer}.sbom.${extension}`), bill)
      }
    }
  }
}
