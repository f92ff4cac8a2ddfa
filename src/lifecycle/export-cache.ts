import { existsSync } from 'node:fs'
import { type BuildpackLayers, type GroupMember, type LayerRecord, layersOf } from '#cnb'
import { Problem, type Report } from '#std'
import { below, readBuildpackLayers } from './buildpack-layers.ts'
import type { Cache, CacheMetadata, CacheWriting } from './cache.ts'
import type { Place, Places } from './executor.ts'
import { diffIdOf } from './keep-layer.ts'
import type { LayerRules } from './layer-tar.ts'
import { packDirectory } from './pack-directory.ts'
import type { StatIndex } from './stat-index.ts'

/** What a cache is written from. */
export interface CacheExportOptions {
  readonly cache: Cache
  readonly places: Pick<Places, 'layers'>
  readonly rules: LayerRules
  readonly buildpacks: readonly GroupMember[]
  readonly stats?: StatIndex
  /**
   * Resolves when the image is there. Until then nothing is taken that the image is made of, and nothing said; where it fails, the cache stays as it was. Left out where the image is there
   * already.
   */
  readonly exported?: Promise<unknown>
  readonly report: Report
}

/**
 * Keeps the layers that buildpacks declared `cache` for the next build, and only those (CNB platform specification, "Exporter"). A failure is a
 * warning, because the image is there all the same; then the cache is as it was. A directory cache takes the directories away. False if nothing was kept.
 */
export async function exportCache(given: CacheExportOptions): Promise<boolean> {
  const held = given.exported && holdBack(given.report)
  const exported = (given.exported ?? Promise.resolve()).then(
    () => {
      held?.release()
      return true
    },
    () => false,
  )
  const kept = await writeCache({ ...given, exported, report: held?.report ?? given.report })
  return (await exported) && kept
}

/** The same once it is known how one hears of the image: `exported` never fails, but says whether it is there. */
interface CacheJob extends CacheExportOptions {
  readonly exported: Promise<boolean>
}

async function writeCache(options: CacheJob): Promise<boolean> {
  const { cache, report, exported } = options
  try {
    const before = await cache.metadata()
    await using writing = await cache.begin()
    const buildpacks: BuildpackLayers[] = []
    for (const member of options.buildpacks)
      buildpacks.push(await cacheBuildpack(options, writing, before, member))
    if (!(await exported)) return false
    const sbom = await cacheSbom(options, writing, before)
    await writing.commit({ ...(sbom && { sbom }), buildpacks })
    return true
  } catch (error) {
    const why =
      error instanceof Problem
        ? `${error.what}: ${error.why}`
        : error instanceof Error
          ? error.message
          : String(error)
    report.warn(`Failed to export cache: ${why}`)
    return false
  }
}

async function cacheBuildpack(
  options: CacheJob,
  writing: CacheWriting,
  before: CacheMetadata | undefined,
  member: GroupMember,
): Promise<BuildpackLayers> {
  const { layers } = await readBuildpackLayers(options.places.layers, member)
  const previous = before && layersOf(before, member.id)
  const records = new Map<string, LayerRecord>()
  for (const { identifier, name, document, place, hasContents } of layers.filter(
    each => each.document.types.cache,
  )) {
    if (!hasContents) {
      options.report.warn(`Failed to cache layer '${identifier}' because it has no contents`)
      continue
    }
    const { types, metadata } = document
    const layer = { identifier, place, inImage: types.launch }
    if (types.launch) await options.exported
    const sha = await addOrReuse(options, writing, layer, previous?.layers.get(name)?.sha)
    records.set(name, {
      sha,
      ...types,
      ...(metadata && Object.keys(metadata).length > 0 && { data: metadata }),
    })
  }
  return { key: member.id, version: member.version, layers: records }
}

async function cacheSbom(
  options: CacheExportOptions,
  writing: CacheWriting,
  before: CacheMetadata | undefined,
): Promise<{ sha: string } | undefined> {
  const place = below(below(options.places.layers, 'sbom'), 'cache')
  if (!existsSync(place.host)) return undefined
  const layer = { identifier: 'buildpacksio/lifecycle:cache.sbom', place, inImage: false }
  return { sha: await addOrReuse(options, writing, layer, before?.sbom?.sha) }
}

async function addOrReuse(
  options: CacheExportOptions,
  writing: CacheWriting,
  { identifier, place, inImage }: { identifier: string; place: Place; inImage: boolean },
  previous: string | undefined,
): Promise<string> {
  const { places, rules, report, stats } = options
  const packed = await packDirectory(place, places.layers, rules, report)
  const unread = inImage ? undefined : writing.nameUnread?.(packed)
  const sha = unread ?? (await diffIdOf(packed, stats))
  if (sha === previous && (await writing.reuse(previous, packed))) {
    report.line(`Reusing cache layer '${identifier}'`)
    report.detail(`Layer '${identifier}' SHA: ${sha}`)
    return sha
  }
  report.line(`Adding cache layer '${identifier}'`)
  return writing.addLayer(place.host, place.inside, unread, packed)
}

/** A report that says what it is told once it is released. */
function holdBack(report: Report): { readonly report: Report; release(): void } {
  let held: (() => void)[] | undefined = []
  const later = (speak: () => void) => {
    if (held) held.push(speak)
    else speak()
  }
  return {
    report: {
      ...report,
      line: text => later(() => report.line(text)),
      detail: text => later(() => report.detail(text)),
      warn: text => later(() => report.warn(text)),
    },
    release() {
      for (const speak of held ?? []) speak()
      held = undefined
    },
  }
}
