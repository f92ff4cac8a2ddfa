import {
  BUILD_LABEL,
  LIFECYCLE_LABEL,
  type LifecycleMetadata,
  layersOf as layersOfBuildpack,
  parseBuildLabel,
  parseLifecycleMetadata,
} from '#cnb'
import type { ExportedLayer } from '#lifecycle'
import { type CopyPlace, type Image, labelsOf, openSource, parsePlace, type Source } from '#oci'
import { Problem, type Report } from '#std'
import { compareTrees, type FileChange, layerReader } from '../diff/tree.ts'
import { compareValues, type ValueChange, valuesInside } from '../diff/values.ts'
import { type ImageWays, openImageWays } from '../images/image-ways.ts'
import { type InspectedLayer, layersOf } from '../inspect/layers.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { openStore } from '../store.ts'
import { type BuildRecord, readRecord } from './record.ts'

/** Which image is explained. */
export interface ExplainRequest {
  /** How the person wrote the place of the image. */
  readonly text: string
  readonly place: CopyPlace
  /** The image that it is held against; the one before it by default. */
  readonly against: CopyPlace | undefined
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Hosts of registries that may be spoken to without TLS. */
  readonly insecure: readonly string[]
  readonly report: Report
  readonly signal: AbortSignal
}

/** Why a layer is as it is. */
export type LayerReason =
  | 'base' // of the run image
  | 'kept' // its buildpack left it as it was
  | 'same' // made again, with the same contents
  | 'first' // there was no image before
  | 'new' // the image before had no such layer
  | 'changed'
  | 'unknown' // nothing is known of an image before

/** A layer, explained. */
export interface ExplainedLayer {
  readonly layer: InspectedLayer
  readonly reason: LayerReason
  /** What its buildpack says of it now and said of it before (`[metadata]` of its layer.toml), where that differs; versions of buildpacks too. */
  readonly metadata: readonly ValueChange[]
  /** Paths that differ; undefined where the layer before cannot be read any more. */
  readonly files?: readonly FileChange[]
}

/** An image, explained. Texts come from images and buildpacks as they are: they are not yet fit for a terminal. */
export interface Explained {
  readonly group: readonly { readonly id: string; readonly version: string }[]
  /** What the build knew; undefined where the image was built elsewhere. */
  readonly record: BuildRecord | undefined
  readonly layers: readonly ExplainedLayer[]
  readonly base: { readonly now: string; readonly before?: string }
}

/**
 * Explains an image: why the last detection chose its buildpacks, and why each layer was made again or taken from the image before. The first is
 * known where it was built, from the record of its last build; the second follows from both images alone. Throws a `Problem` if there is no such image.
 */
export async function explainImage(request: ExplainRequest): Promise<Explained> {
  const { home, text, place } = request
  await using ways = openImageWays(request)
  await using source = await open(request, place, ways)
  const { image } = source
  const record = source.stored && (await readRecord(home, source.stored.image.digest))
  await using before = await openBefore(request, record, ways)
  const [now, was] = [about(image, text), before && about(before.image, 'the image before')]
  const reader = layerReader()
  const layers: ExplainedLayer[] = []
  for (const layer of layersOf(image, now.metadata)) {
    const reason = reasonOf(layer, record, was, before?.image)
    const metadata = reason === 'changed' ? metadataChanges(layer, now, was) : []
    const files =
      reason === 'changed' && before ? await fileChanges(reader, layer, image, before.image, was) : undefined
    layers.push({ layer, reason, metadata, ...(files && { files }) })
  }
  const base = {
    now: now.metadata?.runImage.reference ?? '',
    ...(was?.metadata && { before: was.metadata.runImage.reference }),
  }
  return { group: now.group, record, layers, base }
}

interface About {
  readonly metadata: LifecycleMetadata | undefined
  readonly group: readonly { readonly id: string; readonly version: string }[]
}

function about({ config }: Image, name: string): About {
  const labels = labelsOf(config)
  const [metadata, build] = [labels[LIFECYCLE_LABEL], labels[BUILD_LABEL]]
  return {
    metadata:
      metadata === undefined
        ? undefined
        : parseLifecycleMetadata(metadata, `the label ${LIFECYCLE_LABEL} of ${name}`),
    group:
      build === undefined ? [] : parseBuildLabel(build, `the label ${BUILD_LABEL} of ${name}`).buildpacks,
  }
}

function open({ home }: ExplainRequest, place: CopyPlace, ways: ImageWays): Promise<Source> {
  return openSource(openStore(home), place, machineArchitecture(), ways)
}

/** The image that was there before, if it can still be read. */
async function openBefore(
  request: ExplainRequest,
  record: BuildRecord | undefined,
  ways: ImageWays,
): Promise<Source | undefined> {
  if (request.against) return open(request, request.against, ways)
  if (!record?.previous) return undefined
  const [, digest = ''] = record.previous.split('@')
  const place: CopyPlace =
    request.place.kind === 'registry'
      ? parsePlace(`docker://${record.previous}`, '/')
      : { kind: 'store', name: digest }
  try {
    return await open(request, place, ways)
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

function reasonOf(
  layer: InspectedLayer,
  record: BuildRecord | undefined,
  was: About | undefined,
  before: Image | undefined,
): LayerReason {
  if (layer.kind === 'base' || layer.kind === 'base-sbom') return 'base'
  const known = record?.layers.find(({ diffId }) => diffId === layer.diffId)
  if (known?.untouched) return 'kept'
  if (known?.reused || before?.layers.some(({ diffId }) => diffId === layer.diffId)) return 'same'
  if (record && record.previous === null && !before) return 'first'
  if (known) return known.before.length === 0 ? 'new' : 'changed'
  if (!before) return 'unknown'
  return shasOf(layer, was?.metadata).length === 0 ? 'new' : 'changed'
}

/** diffIDs of what stood in a layer's place. */
function shasOf({ kind, name = '' }: InspectedLayer, metadata: LifecycleMetadata | undefined): string[] {
  if (!metadata) return []
  const own = {
    sbom: metadata.sbom,
    launcher: metadata.launcher,
    config: metadata.config,
    'process-types': metadata.processTypes,
  }
  if (kind === 'app') return metadata.app.map(({ sha }) => sha)
  if (kind === 'buildpack') {
    const record = recordOf(name, metadata)
    return record ? [record.sha] : []
  }
  const sha = kind in own ? own[kind as keyof typeof own]?.sha : undefined
  return sha ? [sha] : []
}

function recordOf(name: string, metadata: LifecycleMetadata) {
  const cut = name.lastIndexOf(':')
  return layersOfBuildpack(metadata, name.slice(0, cut))?.layers.get(name.slice(cut + 1) as never)
}

function metadataChanges(
  { kind, name = '' }: InspectedLayer,
  now: About,
  was: About | undefined,
): ValueChange[] {
  if (kind !== 'buildpack' || !now.metadata || !was?.metadata) return []
  const values = ({ metadata, group }: About) => {
    const data = recordOf(name, metadata as LifecycleMetadata)?.data ?? {}
    const id = name.slice(0, name.lastIndexOf(':'))
    const version = group.find(each => each.id === id)?.version
    return new Map([
      ...(version === undefined ? [] : [['version of the buildpack', version] as const]),
      ...valuesInside(JSON.stringify(data)),
    ])
  }
  return compareValues(values(was), values(now))
}

/** Paths in which a layer is not what stood in its place; slices of the app are compared together. */
async function fileChanges(
  reader: ReturnType<typeof layerReader>,
  layer: InspectedLayer,
  image: Image,
  before: Image,
  was: About | undefined,
): Promise<FileChange[] | undefined> {
  const shas = new Set<string>(shasOf(layer, was?.metadata))
  const old = before.layers.filter(({ diffId }) => shas.has(diffId))
  const now = image.layers.filter(({ diffId }) => diffId === layer.diffId)
  if (old.length === 0) return undefined
  const changes = compareTrees(await reader.tree(old), await reader.tree(now))
  // What another slice has now did not go.
  return layer.kind === 'app' ? changes.filter(({ change }) => change !== 'removed') : changes
}

/** The record of a build, with the layers that its export tells of. */
export function recordOfBuild(
  told: Omit<BuildRecord, 'layers'> & { readonly layers: readonly ExportedLayer[] },
): BuildRecord {
  return {
    ...told,
    layers: told.layers.map(({ identifier, layer: { diffId }, reused, untouched, before }) => ({
      ...{ identifier, diffId, reused, untouched },
      before: [...before],
    })),
  }
}
