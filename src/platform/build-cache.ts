import { join } from 'node:path'
import {
  type DirectoryCache,
  type LayerRules,
  openDirectoryCache,
  type Places,
  type StatIndex,
} from '#lifecycle'
import { parseName } from '#oci'
import { digestOf, hexOf, type Report } from '#std'

/** What the cache of an image is opened with. */
export interface BuildCacheOptions {
  readonly home: string
  /** The image's name: each has a cache of its own. */
  readonly name: string
  readonly places: Places
  readonly rules: LayerRules
  readonly stats: StatIndex
  /** Forget what earlier builds kept. */
  readonly clear: boolean
  readonly report: Report
  readonly signal: AbortSignal
}

/** The directory of all caches in a state directory. */
export const CACHES = 'caches'

/** Where the cache of an image is; the name counts in the form that the store lists it in. */
export function cacheDirectory(home: string, name: string): string {
  return join(home, CACHES, hexOf(digestOf(parseName(name))).slice(0, 32))
}

/** Opens what earlier builds of an image kept, below `<home>/caches`. One build at a time has it; another of the same image waits. */
export async function openBuildCache(options: BuildCacheOptions): Promise<DirectoryCache> {
  const { home, name, places, rules, stats, clear, report, signal } = options
  const directory = cacheDirectory(home, name)
  return openDirectoryCache(directory, { ...rules, layers: places.layers, stats, clear, report, signal })
}
