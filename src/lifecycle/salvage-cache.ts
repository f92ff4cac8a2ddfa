import { type BuildpackLayers, type GroupMember, type LayerRecord, layersOf } from '#cnb'
import { Problem } from '#std'
import { type DescribedLayer, readBuildpackLayers } from './buildpack-layers.ts'
import type { CacheMetadata, CacheWriting } from './cache.ts'
import type { CacheExportOptions } from './export-cache.ts'

/**
 * Keeps after a build that failed what may be kept: the cached layers of before that did not change, and layers that are for the cache alone
 * and have no metadata. Such a layer makes no claim about its contents (a repository of downloads, say), so it is as good half filled as full; any other
 * could be taken for something that it is not yet. A failure to keep is no failure.
 */
export async function salvageCache(options: CacheExportOptions): Promise<void> {
  const { cache, report } = options
  try {
    const before = await cache.metadata()
    await using writing = await cache.begin()
    const buildpacks: BuildpackLayers[] = []
    for (const member of options.buildpacks)
      buildpacks.push(await salvageBuildpack(options, writing, before, member))
    if (buildpacks.every(({ layers }) => layers.size === 0)) return
    const sbom = before?.sbom && (await writing.reuse(before.sbom.sha)) ? before.sbom : undefined
    await writing.commit({ ...(sbom && { sbom }), buildpacks })
  } catch (error) {
    report.detail(
      `Nothing of the failed build could be kept: ${error instanceof Error ? error.message : error}`,
    )
  }
}

async function salvageBuildpack(
  { places }: CacheExportOptions,
  writing: CacheWriting,
  before: CacheMetadata | undefined,
  member: GroupMember,
): Promise<BuildpackLayers> {
  const records = new Map<string, LayerRecord>()
  for (const [name, record] of (before && layersOf(before, member.id))?.layers ?? []) {
    if (await writing.reuse(record.sha)) records.set(name, record)
  }
  for (const { name, document, place } of (await declared(places, member)).filter(claimsNothing)) {
    if (records.has(name)) continue
    records.set(name, { sha: await writing.addLayer(place.host, place.inside), ...document.types })
  }
  return { key: member.id, version: member.version, layers: records }
}

function claimsNothing({ hasContents, document: { types, metadata } }: DescribedLayer): boolean {
  const silent = metadata === undefined || Object.keys(metadata).length === 0
  return hasContents && types.cache && !types.launch && !types.build && silent
}

/** A buildpack that was stopped in the middle may have left a file that cannot be read. */
async function declared(
  places: CacheExportOptions['places'],
  member: GroupMember,
): Promise<readonly DescribedLayer[]> {
  try {
    return (await readBuildpackLayers(places.layers, member)).layers
  } catch (error) {
    if (error instanceof Problem) return []
    throw error
  }
}
