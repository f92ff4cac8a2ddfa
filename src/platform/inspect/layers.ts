import type { LifecycleMetadata } from '#cnb'
import { historyPerLayer, type Image, labelsOf } from '#oci'
import type { Digest } from '#std'

/** What a layer is for. */
export type LayerKind =
  | 'base'
  | 'base-sbom'
  | 'buildpack'
  | 'sbom'
  | 'app'
  | 'launcher'
  | 'config'
  | 'process-types'
  | 'unknown'

/** A layer with what is known of it, the lowest first. */
export interface InspectedLayer {
  readonly kind: LayerKind
  /** For a layer of a buildpack, `<id>:<layer>`; for a slice of the app, its number. */
  readonly name?: string
  readonly diffId: Digest
  readonly digest: Digest
  /** Bytes of the packed blob. */
  readonly size: number
  /** What the image's history says of who made it. */
  readonly createdBy?: string
}

/** The label of base images that names the layer with their bills of materials, by diffID. */
const BASE_SBOM_LABEL = 'io.buildpacks.base.sbom'

/** Tells the layers of an image apart, by the diffIDs in the label of the build and, for the base, by where they are. */
export function layersOf(image: Image, metadata: LifecycleMetadata | undefined): InspectedLayer[] {
  const history = historyPerLayer(image)
  const top = image.layers.findIndex(({ diffId }) => diffId === metadata?.runImage.topLayer)
  const baseSbom = labelsOf(image.config)[BASE_SBOM_LABEL]
  const known = metadata ? namesOf(metadata) : new Map<string, Purpose[]>()
  return image.layers.map(({ diffId, blob }, index) => {
    const createdBy = history[index]?.created_by
    // The same diffID may be there several times, such as that of an empty slice: each purpose is used once.
    const purpose = index > top ? known.get(diffId)?.shift() : undefined
    const own = { kind: diffId === baseSbom ? 'base-sbom' : index <= top ? 'base' : 'unknown' } as const
    return {
      ...(purpose ?? own),
      diffId,
      digest: blob.digest,
      size: blob.size,
      ...(createdBy && { createdBy }),
    }
  })
}

type Purpose = Pick<InspectedLayer, 'kind' | 'name'>

function namesOf({
  buildpacks,
  sbom,
  app,
  launcher,
  config,
  processTypes,
}: LifecycleMetadata): Map<string, Purpose[]> {
  const found = new Map<string, Purpose[]>()
  const add = (sha: string, purpose: Purpose) => found.set(sha, [...(found.get(sha) ?? []), purpose])
  for (const { key, layers } of buildpacks) {
    for (const [layer, { sha, launch }] of layers)
      if (launch) add(sha, { kind: 'buildpack', name: `${key}:${layer}` })
  }
  add(sbom?.sha ?? '', { kind: 'sbom' })
  for (const [index, { sha }] of app.entries())
    add(sha, { kind: 'app', ...(app.length > 1 && { name: String(index + 1) }) })
  add(launcher.sha, { kind: 'launcher' })
  add(config.sha, { kind: 'config' })
  add(processTypes.sha, { kind: 'process-types' })
  return found
}
