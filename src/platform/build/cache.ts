import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Cache,
  type DirectoryCache,
  type LayerRules,
  openDirectoryCache,
  openImageCache,
  type Places,
  type StatIndex,
} from '#lifecycle'
import { parseName, parseReference, printReference, withTag } from '#oci'
import { digestOf, hexOf, type Report } from '#std'
import type { ImageWays } from '../images/image-ways.ts'
import type { BuildRequest } from './request.ts'

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

/** The file in a cache that says that its image was put elsewhere; its time is that of the last build. */
export const ELSEWHERE = 'elsewhere'

/** Where the cache of an image is; the name counts in the form that the store lists it in. */
export function cacheDirectory(home: string, name: string): string {
  return join(home, CACHES, hexOf(digestOf(parseName(name))).slice(0, 32))
}

/** Opens what earlier builds kept: below `<home>/caches`, or in an image of a registry where one is named. */
export async function openCache(
  { cacheImage, output }: BuildRequest,
  options: BuildCacheOptions,
  { registries }: ImageWays,
): Promise<Cache & AsyncDisposable> {
  if (cacheImage === undefined) {
    const cache = await openBuildCache(options)
    if (output.kind !== 'store')
      await writeFile(join(cacheDirectory(options.home, options.name), ELSEWHERE), '')
    return cache
  }
  const reference = withTag(parseReference(cacheImage))
  const rules = { ...options.rules, layers: options.places.layers }
  const cache = openImageCache({ store: registries.store(reference), name: printReference(reference), rules })
  return Object.assign(cache, { async [Symbol.asyncDispose]() {} })
}

/** Opens what earlier builds of an image kept, below `<home>/caches`. One build at a time has it; another of the same image waits. */
export async function openBuildCache(options: BuildCacheOptions): Promise<DirectoryCache> {
  const { home, name, places, rules, stats, clear, report, signal } = options
  const directory = cacheDirectory(home, name)
  return openDirectoryCache(directory, {
    ...rules,
    layers: places.layers,
    stats,
    clear,
    report,
    signal,
  })
}
