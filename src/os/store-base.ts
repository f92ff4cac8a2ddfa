import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as v from 'valibot'
import { emptyImage, type Layer, type LayoutStore, type StoredImage } from '#oci'
import {
  check,
  type Digest,
  digestOf,
  hexOf,
  isDigest,
  type Progress,
  parseJson,
  printJson,
  readAll,
  readIfExists,
  VERSION,
  writeDurably,
} from '#std'
import { alone } from './alone.ts'
import { type AssemblyContext, assembleBase, baseKey } from './assemble.ts'
import { settingsOf } from './image.ts'
import type { BaseLock } from './lock.ts'
import type { Recipe } from './recipe.ts'
import { SBOM_LABEL, sbomLayer } from './sbom.ts'

/**
 * The image of a base in the store, under all these names: one layer with the operating system, and above it one with its
 * bills of materials. What is in the store already is neither fetched nor assembled again. Nobody sees a half image, and
 * any number of processes may ask at once. Throws what `assembleBase` throws.
 */
export async function storeBase(
  recipe: Recipe,
  lock: BaseLock,
  store: LayoutStore,
  names: readonly string[],
  context: AssemblyContext,
): Promise<StoredImage> {
  const key = baseKey(recipe, lock)
  await using _ = await store.lease()
  const system = await systemLayer(recipe, lock, key, store, context)
  const papers = await papersLayer(recipe, lock, system.diffId, store, context)
  const { os, architecture, created, config, history } = settingsOf(recipe, lock, key)
  const labels = Object.entries({ ...config.Labels, [SBOM_LABEL]: papers.diffId })
  const image = {
    ...emptyImage(os, architecture),
    config: {
      architecture,
      os,
      created,
      config: { ...config, Labels: Object.fromEntries(labels.toSorted(([a], [b]) => (a < b ? -1 : 1))) },
      rootfs: { type: 'layers' as const, diff_ids: [system.diffId, papers.diffId] },
      history: [history, { created, created_by: 'slipway base: bills of materials' }],
    },
    layers: [system, papers],
  }
  return await store.write(image, names)
}

/** Another one where the same recipe and lock give other bills of materials. */
const PAPERS_REVISION = 1

/** Small, and the same whenever it is asked for; so which one it was the last time is remembered. */
async function papersLayer(
  recipe: Recipe,
  lock: BaseLock,
  system: Digest,
  store: LayoutStore,
  { home }: AssemblyContext,
): Promise<Layer> {
  const inputs = hexOf(digestOf(JSON.stringify([PAPERS_REVISION, VERSION, recipe, lock, system])))
  const record = join(home, 'bases', `${inputs}.papers.json`)
  const known = await recorded(record)
  const kept = known && (await store.layerByDiffId(known))
  if (kept) return kept
  const tar = await readAll(sbomLayer(recipe, lock, system))
  const layer =
    (await store.layerByDiffId(digestOf(tar))) ?? (await store.addLayer(() => Readable.from([tar])))
  await writeDurably(record, printJson({ layer: layer.diffId }))
  return layer
}

async function systemLayer(
  recipe: Recipe,
  lock: BaseLock,
  key: Digest,
  store: LayoutStore,
  context: AssemblyContext,
): Promise<Layer> {
  const record = join(context.home, 'bases', `${hexOf(key)}.json`)
  const find = async () => {
    const diffId = await recorded(record)
    return diffId && (await store.layerByDiffId(diffId))
  }
  return (
    (await find()) ??
    (await alone(context.home, hexOf(key), async () => {
      return (await find()) ?? (await makeLayer(recipe, lock, record, store, context))
    }))
  )
}

async function makeLayer(
  recipe: Recipe,
  lock: BaseLock,
  record: string,
  store: LayoutStore,
  context: AssemblyContext,
): Promise<Layer> {
  await using assembled = await assembleBase(recipe, lock, context)
  using progress = context.report.progress(`compressing ${lock.name}`)
  const layer = await store.addLayer(() => counted(assembled.layer(), progress))
  await writeDurably(record, printJson({ layer: layer.diffId }))
  return layer
}

async function* counted(chunks: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    progress.add(chunk.byteLength)
    yield chunk
  }
}

const recordSchema = v.object({
  layer: v.custom<Digest>(value => typeof value === 'string' && isDigest(value)),
})

/** Which layer a base became the last time; only a memory, so what cannot be read is as good as nothing. */
async function recorded(path: string): Promise<Digest | undefined> {
  const text = await readIfExists(path)
  if (text === undefined) return undefined
  try {
    return check(recordSchema, parseJson(text, path), path).layer
  } catch {
    return undefined
  }
}
