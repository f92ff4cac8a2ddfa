import { LIFECYCLE_LABEL, parseLifecycleMetadata } from '#cnb'
import { environmentOf, type Image, type ImageConfig, labelsOf } from '#oci'
import type { Digest } from '#std'
import { type InspectedLayer, layersOf } from '../inspect/layers.ts'
import { compareTrees, type FileChange, layerReader } from './tree.ts'
import { compareValues, type ValueChange, valuesInside } from './values.ts'

/** One of the images that are compared: where it is said to be, and what it is. */
export interface DiffSide {
  readonly name: string
  readonly image: Image
  /** Digest of the manifest, where it has one. */
  readonly digest?: Digest
  /** Name to version of everything that its bills of materials list; several versions of one name are one text. */
  readonly packages: ReadonlyMap<string, string>
}

/** A layer of either image; one of both is listed once. */
export interface LayerChange {
  readonly change: 'same' | 'added' | 'removed'
  readonly layer: InspectedLayer
}

/** In what two images differ. Texts come from the images as they are: they are not yet fit for a terminal. */
export interface ImageDiff {
  readonly layers: readonly LayerChange[]
  readonly files: readonly FileChange[]
  readonly packages: readonly ValueChange[]
  readonly config: readonly ValueChange[]
  readonly labels: readonly ValueChange[]
  readonly environment: readonly ValueChange[]
}

/** The parts of a comparison. */
export const DIFF_PARTS = ['layers', 'files', 'packages', 'config', 'labels', 'environment'] as const
export type DiffPart = (typeof DIFF_PARTS)[number]

/**
 * Says in what two images differ: layers by diffID, files as a container sees them, packages, configuration, labels (inside JSON too) and
 * environment. Layers are read only for files, each once, and never unpacked to disk. Parts that are not wanted are empty.
 */
export async function diffImages(
  before: DiffSide,
  after: DiffSide,
  parts: ReadonlySet<DiffPart>,
): Promise<ImageDiff> {
  const wanted = <Value>(part: DiffPart, values: () => readonly Value[]) => (parts.has(part) ? values() : [])
  const [was, is] = [before.image.config, after.image.config]
  return {
    layers: wanted('layers', () => compareLayers(describe(before.image), describe(after.image))),
    files: parts.has('files') ? await compareFiles(before.image, after.image) : [],
    packages: wanted('packages', () => compareValues(before.packages, after.packages)),
    config: wanted('config', () => compareValues(settingsOf(was), settingsOf(is))),
    labels: wanted('labels', () => compareLabels(labelsOf(was), labelsOf(is))),
    environment: wanted('environment', () => compareValues(environmentOf(was), environmentOf(is))),
  }
}

function describe(image: Image): InspectedLayer[] {
  const label = labelsOf(image.config)[LIFECYCLE_LABEL]
  const metadata =
    label === undefined ? undefined : parseLifecycleMetadata(label, `the label ${LIFECYCLE_LABEL}`)
  return layersOf(image, metadata)
}

/** Walks both lists along their longest common part, as `diff` does with lines. */
function compareLayers(before: readonly InspectedLayer[], after: readonly InspectedLayer[]): LayerChange[] {
  const same = (i: number, j: number) => before[i]?.diffId === after[j]?.diffId
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0))
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      (lengths[i] as number[])[j] = same(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const changes: LayerChange[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && same(i, j)) {
      changes.push({ change: 'same', layer: after[j++] as InspectedLayer })
      i++
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1)))
      changes.push({ change: 'removed', layer: before[i++] as InspectedLayer })
    else changes.push({ change: 'added', layer: after[j++] as InspectedLayer })
  }
  return changes
}

async function compareFiles(before: Image, after: Image): Promise<FileChange[]> {
  const ids = (image: Image) => image.layers.map(({ diffId }) => diffId).join()
  if (ids(before) === ids(after)) return []
  const reader = layerReader()
  return compareTrees(await reader.tree(before.layers), await reader.tree(after.layers))
}

/** The settings of an image as texts; labels and environment are compared apart, layers and history too. */
function settingsOf({ config = {}, rootfs: _, history: __, ...rest }: ImageConfig): Map<string, string> {
  const { Labels: _labels, Env: _env, ...settings } = config
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  return new Map(
    Object.entries({ ...rest, ...settings })
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]) => [key, text(value)]),
  )
}

function compareLabels(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): ValueChange[] {
  const changed = compareValues(new Map(Object.entries(before)), new Map(Object.entries(after)))
  return changed.flatMap(change => {
    if (change.before === undefined || change.after === undefined) return [change]
    const inside = compareValues(valuesInside(change.before), valuesInside(change.after))
    // The same values, written otherwise.
    if (inside.length === 0) return [change]
    return inside.map(each => ({
      ...each,
      name: each.name === '' ? change.name : `${change.name}: ${each.name}`,
    }))
  })
}
