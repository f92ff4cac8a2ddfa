import * as v from 'valibot'
import { buildpackLayersFrom, buildpackLayersSchema, buildpackLayersTable, printGoJson } from '#cnb'
import { check, parseJson } from '#std'
import type { CacheMetadata } from './cache.ts'

/** The name under which caches keep their metadata: a file of a volume, a label of an image. */
export const CACHE_METADATA = 'io.buildpacks.lifecycle.cache.metadata'

const document = v.object({
  sbom: v.nullish(v.object({ sha: v.nullish(v.string(), '') })),
  buildpacks: v.nullish(v.array(buildpackLayersSchema), () => []),
})

/** Reads the metadata of a cache. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseCacheMetadata(json: string, source: string): CacheMetadata {
  const { sbom, buildpacks } = check(document, parseJson(json, source), source)
  return {
    ...(sbom && sbom.sha !== '' && { sbom: { sha: sbom.sha } }),
    buildpacks: buildpacks.map(each => buildpackLayersFrom(each, source)),
  }
}

/** Prints the metadata of a cache as the reference does: one line, the bills of materials always named. */
export function printCacheMetadata({ sbom, buildpacks }: CacheMetadata): string {
  return `${printGoJson({ sbom: { sha: sbom?.sha ?? '' }, buildpacks: buildpacks.map(buildpackLayersTable) })}\n`
}
