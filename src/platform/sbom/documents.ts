import { LIFECYCLE_LABEL, parseLifecycleMetadata, SBOM_FORMATS, type SbomExtension } from '#cnb'
import { environmentOf, type Image, type Layer, labelsOf } from '#oci'
import { byBytes, readAll, readTar } from '#std'
import { billRefused } from '../problems.ts'

/** A bill of materials as it is in an image. */
export interface SbomDocument {
  /** What it is about: `base`, `launcher`, a buildpack's id, or `<id>:<layer>`. */
  readonly part: string
  /** Where it is in the image, without the slash in front; made of checked names only. */
  readonly path: string
  readonly extension: SbomExtension
  readonly text: string
}

/** The label of base images that names the layer with their bills, by diffID. */
const BASE_SBOM_LABEL = 'io.buildpacks.base.sbom'
const LARGEST = 64 * 2 ** 20
const MOST = 10_000
/** One part of a path, safe to be a file name anywhere. */
const SAFE = /^(?!\.{1,2}$)[\w.+@-]{1,200}$/

/**
 * Every bill of materials in an image: that of its base (`/cnb/sbom/*`, in the layer that the label `io.buildpacks.base.sbom` names), then
 * those of its buildpacks (`<layers>/sbom/launch/**`, in the layer that the lifecycle's label names; CNB platform specification). Sorted.
 * Throws a `Problem` (`BILL_REFUSED`) for names that could be taken for other places, and for documents too large to be bills.
 */
export async function sbomDocuments(image: Image): Promise<SbomDocument[]> {
  const labels = labelsOf(image.config)
  const metadata = parseLifecycleMetadata(labels[LIFECYCLE_LABEL] ?? '{}', `the label ${LIFECYCLE_LABEL}`)
  const layerOf = (diffId: string | undefined) => image.layers.find(layer => layer.diffId === diffId)
  const base = layerOf(labels[BASE_SBOM_LABEL])
  const own = layerOf(metadata.sbom?.sha)
  const layers = (environmentOf(image.config).get('CNB_LAYERS_DIR') ?? '/layers').replace(/^\/+|\/+$/g, '')
  const ids = metadata.buildpacks.map(({ key }) => key)
  return [
    ...(base
      ? await documentsIn(base, 'cnb/sbom', 'cnb/sbom', parts => (parts.length === 1 ? 'base' : undefined))
      : []),
    ...(own
      ? await documentsIn(own, `${layers}/sbom/launch`, 'layers/sbom/launch', parts => partOf(parts, ids))
      : []),
  ]
}

/** The documents of a layer below `place`; `written` stands for `place` in their paths. */
async function documentsIn(
  layer: Layer,
  place: string,
  written: string,
  nameOf: (parts: string[]) => string | undefined,
): Promise<SbomDocument[]> {
  const found = new Map<string, SbomDocument>()
  for await (const { name, type, size, content } of readTar(await layer.uncompressed())) {
    const path = name.toString('latin1').replace(/^(?:\.?\/)+/, '')
    const format = SBOM_FORMATS.find(({ extension }) => path.endsWith(`.${extension}`))
    if (type !== 'file' || !format || !path.startsWith(`${place}/`)) continue
    const parts = path.slice(place.length + 1).split('/')
    if (parts.some(each => !SAFE.test(each)))
      throw billRefused(path, 'its name has characters that are not allowed there')
    const part = nameOf(parts)
    if (part === undefined) continue
    if (size > LARGEST) throw billRefused(path, `it is larger than ${LARGEST} bytes`)
    if (found.size >= MOST) throw billRefused(path, `there are more than ${MOST} documents`)
    const key = [written, ...parts].join('/')
    const text = (await readAll(content, LARGEST)).toString('utf8')
    found.set(key, { part, path: key, extension: format.extension, text })
  }
  return [...found.values()].toSorted((a, b) => byBytes(a.path, b.path))
}

/** `<escaped id>/sbom.<ext>` is about a buildpack, `<escaped id>/<layer>/sbom.<ext>` about a layer of it. */
function partOf(parts: string[], ids: readonly string[]): string | undefined {
  const [escaped, layer, ...rest] = parts.slice(0, -1)
  if (escaped === undefined || rest.length > 0 || !parts.at(-1)?.startsWith('sbom.')) return undefined
  if (escaped === 'buildpacksio_lifecycle') return 'launcher'
  const id = ids.find(each => each.replaceAll('/', '_') === escaped) ?? escaped
  return layer === undefined ? id : `${id}:${layer}`
}
