import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildContext, findFiles, isSystemError, readIfExists } from '#sdk'
import type { SpringBootApplication } from './application.ts'
import { parseLayersIndex, slicePatterns } from './layers-index.ts'

/** Tells the lifecycle to cut the application as its layers index says; empty layers are left out. */
export async function contributeSlices(
  { directory, layersIndex }: SpringBootApplication,
  { launch, log }: BuildContext,
): Promise<void> {
  if (!layersIndex) return
  const layers = parseLayersIndex((await readIfExists(join(directory, layersIndex))) ?? '-')
  if (!layers)
    return log.warn(`${layersIndex} is not there or not a layers index: the application stays one layer`)
  log.line('Creating slices from layers index')
  for (const layer of layers) {
    log.detail(`${layer.name} (${friendly(await sizeOf(directory, layer.paths))})`)
    if (layer.paths.length > 0) launch.slice(slicePatterns(layer))
  }
}

async function sizeOf(directory: string, paths: readonly string[]): Promise<number> {
  let size = 0
  for (const path of paths) {
    const place = join(directory, path)
    const files = path.endsWith('/') ? (await findFiles(place, '**')).map(file => join(place, file)) : [place]
    for (const file of files) size += await sizeOfFile(file)
  }
  return size
}

async function sizeOfFile(file: string): Promise<number> {
  try {
    return (await lstat(file)).size
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return 0
    throw error
  }
}

/** A size as people say it: `36.1 MB`. */
export function friendly(size: number): string {
  if (size < 1000) return `${size} B`
  return size < 1_000_000 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1_000_000).toFixed(1)} MB`
}
