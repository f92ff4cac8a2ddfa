import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Analyzed,
  type BuildpackLayers,
  escapeId,
  type Group,
  type GroupMember,
  type LayerName,
  layersOf,
  type PlatformApi,
  parseLayerName,
  printRestoredLayer,
  printStore,
} from '#cnb'
import type { StoredImage } from '#oci'
import { Problem, type Report, removeTree } from '#std'
import type { Cache, CacheMetadata } from './cache.ts'
import type { Place, Places } from './executor.ts'
import { layersToRestore, type RestorableLayer } from './layers-to-restore.ts'
import { restoreBills } from './restore-bills.ts'
import { ownDirectory } from './untrusted.ts'

/** What restoring is handed. */
export interface RestoreOptions {
  readonly report: Report
  readonly signal?: AbortSignal
  readonly places: Places
  readonly group: Group
  readonly analyzed: Analyzed
  /** The image whose metadata `analyzed` holds, for its bills of materials. */
  readonly previous?: StoredImage
  /** A directory that has the bills of materials of that image already, where analysis has unpacked them. */
  readonly launchBills?: string
  readonly cache?: Cache
  readonly platformApi?: PlatformApi
  /** Restore nothing but what buildpacks stored. */
  readonly skipLayers?: boolean
}

/**
 * Gives every buildpack of the group back what earlier builds kept for it (CNB platform specification, "restorer"): store.toml, the
 * metadata of layers, the contents of cached layers, and the bills of materials of both. A cached layer that is missing or damaged
 * is a warning.
 */
export async function restore(options: RestoreOptions): Promise<void> {
  const { report, places, group, analyzed, cache, signal, platformApi = '0.15', skipLayers } = options
  const cached = skipLayers ? undefined : await cache?.metadata()
  const bringing: Promise<void>[] = []
  const restored: RestoredBuildpack[] = []
  for (const member of group.buildpacks) {
    signal?.throwIfAborted()
    const directory = buildpackPlace(places.layers, member)
    const image = layersOf(analyzed.metadata, member.id)
    await restoreStore(directory, image)
    if (skipLayers) continue
    const layers = await restoreMetadata(report, directory, member, { image, cached, platformApi })
    restored.push({ member, directory, layers: layers.map(({ name }) => name) })
    bringing.push(...layers.map(layer => restoreData(report, cache, directory, member, layer)))
  }
  const outcomes = await Promise.allSettled(bringing)
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed) throw failed.reason
  if (!skipLayers) await restoreBills({ ...options, cached, restored })
}

/** A buildpack with the layers that came back to it. */
export interface RestoredBuildpack {
  readonly member: GroupMember
  readonly directory: Place
  readonly layers: readonly LayerName[]
}

/** Where the layers of a buildpack are. */
export function buildpackPlace(layers: Place, { id }: Pick<GroupMember, 'id'>): Place {
  const name = escapeId(id)
  return { host: join(layers.host, name), inside: `${layers.inside}/${name}` }
}

async function restoreStore(directory: Place, image: BuildpackLayers | undefined): Promise<void> {
  if (!image?.store) return
  await makeDirectory(directory)
  await writeFile(join(directory.host, 'store.toml'), printStore(image.store))
}

async function restoreMetadata(
  report: Report,
  directory: Place,
  { id }: GroupMember,
  from: { image: BuildpackLayers | undefined; cached: CacheMetadata | undefined; platformApi: PlatformApi },
): Promise<(RestorableLayer & { name: LayerName })[]> {
  const cache = from.cached && layersOf(from.cached, id)
  const restored = []
  for (const layer of layersToRestore(from.image, cache, from.platformApi)) {
    const name = nameOf(report, id, layer.name)
    if (name === undefined) continue
    report.line(
      `Restoring metadata for "${id}:${name}" from ${layer.from === 'image' ? 'app image' : 'cache'}`,
    )
    await makeDirectory(directory)
    await writeFile(join(directory.host, `${name}.toml`), printRestoredLayer(layer.data))
    restored.push({ ...layer, name })
  }
  return restored
}

async function restoreData(
  report: Report,
  cache: Cache | undefined,
  directory: Place,
  { id }: GroupMember,
  { name, cached }: RestorableLayer & { name: LayerName },
): Promise<void> {
  if (!cached || !cache) return
  const target = join(directory.host, name)
  if (cached === 'stale') {
    report.detail(`Not restoring "${id}:${name}" from cache, because the app image has another version of it`)
    await Promise.all([removeTree(target), removeTree(`${target}.toml`)])
    return
  }
  report.line(`Restoring data for "${id}:${name}" from cache`)
  if (await cache.restoreLayer(cached.sha, target, `${directory.inside}/${name}`)) return
  report.warn(`The cached layer "${id}:${name}" is missing or damaged; the buildpack will make it anew.`)
}

async function makeDirectory({ host }: Place): Promise<void> {
  await mkdir(join(host, '..'), { recursive: true })
  await ownDirectory(host)
}

function nameOf(report: Report, id: string, name: string): LayerName | undefined {
  try {
    return parseLayerName(name, `the metadata of ${id}`)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    report.warn(`${error.what}: ${error.why}`)
    return undefined
  }
}
