import { atLeast, type BuildpackLayers, type LayerRecord, type PlatformApi } from '#cnb'
import { byBytes } from '#std'

/** A layer whose metadata comes back. */
export interface RestorableLayer {
  readonly name: string
  readonly from: 'image' | 'cache'
  readonly data: LayerRecord['data']
  /** The cached contents that come back with it; `stale` if the cache has others than the image: then nothing comes back. */
  readonly cached?: { readonly sha: string } | 'stale'
}

/**
 * Which layers of a buildpack come back (CNB platform specification, "Layer Metadata Restoration"; as the reference). From the image:
 * launch layers that are not also build layers without a cache, and cached ones only if the cache has them. From the cache: what is no
 * launch layer, and since Platform API 0.14 launch layers that the image lacks. Sorted by name, those of the image first.
 */
export function layersToRestore(
  image: BuildpackLayers | undefined,
  cache: BuildpackLayers | undefined,
  platformApi: PlatformApi,
): RestorableLayer[] {
  const inCache = (name: string) => {
    const record = cache?.layers.get(name)
    return record?.cache ? record : undefined
  }
  const fromImage = sorted(image).flatMap(([name, record]): RestorableLayer[] => {
    if (!record.launch || (record.build && !record.cache)) return []
    const kept = inCache(name)
    if (record.cache && !kept) return []
    const cached = kept && (kept.sha === record.sha ? { sha: kept.sha } : 'stale')
    return [{ name, from: 'image', data: record.data, ...(cached && { cached }) }]
  })
  const fromCache = sorted(cache).flatMap(([name, record]): RestorableLayer[] => {
    if (!record.cache) return []
    if (record.launch && (image?.layers.has(name) || !atLeast(platformApi, '0.14'))) return []
    if (fromImage.some(layer => layer.name === name)) return []
    return [{ name, from: 'cache', data: record.data, cached: { sha: record.sha } }]
  })
  return [...fromImage, ...fromCache]
}

function sorted(layers: BuildpackLayers | undefined): [string, LayerRecord][] {
  return [...(layers?.layers ?? [])].toSorted(([a], [b]) => byBytes(a, b))
}
