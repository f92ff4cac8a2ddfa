import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { ImageStore, Layer } from '#oci'
import { type Digest, Problem, type Report } from '#std'
import { type DirectoryLayer, layerTar } from './layer-tar.ts'
import { fingerprintOf, type StatIndex } from './stat-index.ts'

/** Bytes after which other work of the process gets its turn. */
const TURN = 8 << 20

/** The diffID of a tar, read to its end. */
export async function digestOfTar(tar: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256')
  let since = 0
  for await (const chunk of tar) {
    hash.update(chunk)
    since += chunk.byteLength
    if (since > TURN) {
      since = 0
      await setImmediate()
    }
  }
  return `sha256:${hash.digest('hex')}` as Digest
}

/** Trees up to this size are read sooner than remembered. */
const SMALL = 64 << 10

/** The diffID of a directory layer; nothing of it is read where the index knows it. */
export function diffIdOf(layer: DirectoryLayer, index: StatIndex | undefined): Promise<Digest> {
  const read = () => digestOfTar(layerTar(layer))
  const small = layer.entries.length < 64 && layer.entries.reduce((sum, { size }) => sum + size, 0) <= SMALL
  return index && !small ? index.diffId(fingerprintOf(layer), read) : read()
}

/** Where a layer is kept, and what is told of it. */
export interface Keeping {
  readonly store: ImageStore
  readonly index: StatIndex | undefined
  readonly report: Report
  /** Called when a layer that is new to the store has been read to its end. */
  readonly whenRead: (() => void) | undefined
}

/**
 * Puts a directory layer into the store: hashed first, and compressed only where the store has no layer of that diffID. An index that
 * turns out wrong is corrected.
 */
export async function keepDirectory(layer: DirectoryLayer, label: string, keeping: Keeping): Promise<Layer> {
  const { store, index } = keeping
  const diffId = await diffIdOf(layer, index)
  const known = await store.layerByDiffId(diffId)
  if (known) return known
  try {
    return await addWithProgress(layer, label, diffId, keeping)
  } catch (error) {
    if (!index || !(error instanceof Problem) || error.code !== 'LAYER_DIFFERS') throw error
    await index.forget(fingerprintOf(layer))
    return addWithProgress(layer, label, await digestOfTar(layerTar(layer)), keeping)
  }
}

/** Puts a tar that is made anew each time it is asked for into the store. */
export async function keepTar(open: () => Readable | Promise<Readable>, store: ImageStore): Promise<Layer> {
  const diffId = await digestOfTar(await open())
  return (await store.layerByDiffId(diffId)) ?? store.addLayer(() => opened(open), diffId)
}

async function addWithProgress(
  layer: DirectoryLayer,
  label: string,
  diffId: Digest,
  { store, report, whenRead }: Keeping,
): Promise<Layer> {
  const total = layer.entries.reduce((sum, { size }) => sum + size, 0)
  using progress = report.progress(label, total)
  const add = (bytes: number) => progress.add(bytes)
  return await store.addLayer(() => counted(layerTar(layer), add, whenRead), diffId)
}

async function* opened(open: () => Readable | Promise<Readable>): AsyncGenerator<Uint8Array> {
  yield* await open()
}

async function* counted(
  tar: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
  ended: () => void = () => {},
): AsyncGenerator<Uint8Array> {
  for await (const chunk of tar) {
    count(chunk.byteLength)
    yield chunk
  }
  ended()
}
