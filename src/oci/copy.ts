import { mkdir } from 'node:fs/promises'
import { type Digest, type Report, silent } from '#std'
import { type CopyPlace, placeText } from './copy-place.ts'
import { type CopyWays, daemonOf, openSource, registriesOf, type Source } from './copy-source.ts'
import { writeDockerArchive } from './docker-archive/write.ts'
import type { Image, Layer, StoredImage } from './image.ts'
import { compressionOf } from './media-types.ts'
import { parseName, parseRefName } from './name.ts'
import { parseReference } from './reference.ts'
import type { ImageDocuments } from './store/image-documents.ts'
import { type LayoutStore, openExchange } from './store/layout.ts'
import type { RegistryStore } from './store/registry/registry-store.ts'

export { type CopyPlace, parsePlace } from './copy-place.ts'
export { type CopyWays, openSource, type Source } from './copy-source.ts'

/** How an image is copied. */
export interface CopyOptions extends CopyWays {
  /** Which image of several is meant, where the source holds one for each platform; OCI's word (`amd64`). */
  readonly architecture: string
  readonly report?: Report
}

/** What was copied: in a layout or a registry the digest of the manifest, in a Docker archive or a daemon the image ID. */
export interface Copied {
  readonly digest: Digest
}

/** Layers under way at once. */
const AT_ONCE = 4

/**
 * Copies one image, blobs as they are and both digests of each layer checked on the way into a layout. Between layouts and registries the
 * manifest keeps its bytes, hence its digest. Plain layers of a Docker archive or a daemon are compressed. Bytes pass through as they come, and what the place has is left out.
 * Throws a `Problem` (`NOT_IN_LAYOUT`, `PLATFORM_MISSING`) if there is no such image, others if what is read is damaged.
 */
export async function copyImage(
  store: LayoutStore,
  from: CopyPlace,
  to: CopyPlace,
  options: CopyOptions,
): Promise<Copied> {
  const name = writtenName(to)
  await using source = await openSource(store, from, options.architecture, options)
  if (to.kind === 'docker-archive') {
    const given = name ?? source.name
    const names = given === undefined ? [] : [given]
    const { imageId } = await writeDockerArchive(source.image, source.config, to.file, names)
    return { digest: imageId }
  }
  if (to.kind === 'daemon') {
    const { digest } = await (await daemonOf(options)).load(source.image, source.config, [to.name])
    return { digest }
  }
  const target = await targetOf(store, to, options)
  await using _lease = await target.lease()
  const layers = await takeOverAll(target, source, options.report ?? silent)
  return await write(target, source, { ...source.image, layers }, name as string)
}

async function write(target: Target, { stored }: Source, image: Image, name: string): Promise<Copied> {
  const { digest } = stored
    ? await target.adopt(stored.image, stored.documents, [name])
    : await target.write({ ...image, family: 'oci' }, [name])
  return { digest }
}

type Target = Pick<LayoutStore | RegistryStore, 'lease' | 'importLayer' | 'layerByDiffId' | 'addLayer'> & {
  write(image: Image, names: readonly string[]): Promise<Copied>
  adopt(image: StoredImage, documents: ImageDocuments, names: readonly string[]): Promise<Copied>
}

async function targetOf(store: LayoutStore, to: CopyPlace, ways: CopyWays): Promise<Target> {
  if (to.kind === 'store') return store
  if (to.kind === 'registry') return registriesOf(ways).store(parseReference(to.reference))
  if (to.kind !== 'oci') throw new Error(`nothing can be written to ${placeText(to)} layer by layer`)
  await mkdir(to.directory, { recursive: true })
  return openExchange(to.directory)
}

/** The name that an image gets at its place, tidied; checked before anything is copied. */
function writtenName(to: CopyPlace): string | undefined {
  switch (to.kind) {
    case 'store':
    case 'daemon':
      return parseName(to.name)
    case 'registry':
      return to.reference
    case 'oci':
      return parseRefName(to.tag ?? 'latest')
    case 'docker-archive':
      return to.name === undefined ? undefined : parseName(to.name)
  }
}

/** Several at once; after a failure none is begun, and those under way are waited for. */
async function takeOverAll(
  target: Target,
  { image: { layers }, stored }: Source,
  report: Report,
): Promise<Layer[]> {
  const taken: Layer[] = []
  let next = 0
  const work = async () => {
    for (let index = next++; index < layers.length; index = next++) {
      const layer = layers[index] as Layer
      using progress = report.progress(`copying ${layer.blob.digest.slice(0, 19)}`, layer.blob.size)
      try {
        taken[index] = await takeOver(target, layer, stored === undefined)
      } catch (error) {
        next = layers.length
        throw error
      }
      progress.add(layer.blob.size)
    }
  }
  const outcomes = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, layers.length) }, work))
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return taken
}

/** What comes plain from an archive or a daemon is packed; what was plain in a layout or a registry stays so, as its manifest says it is. */
async function takeOver(target: Target, layer: Layer, pack: boolean): Promise<Layer> {
  if (!pack || compressionOf(layer.blob.mediaType) !== 'none') return target.importLayer(layer)
  return (await target.layerByDiffId(layer.diffId)) ?? target.addLayer(() => plainOf(layer), layer.diffId)
}

async function* plainOf(layer: Layer): AsyncGenerator<Uint8Array> {
  yield* await layer.uncompressed()
}
