import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Digest, isDigest, type Report, silent } from '#std'
import type { Descriptor } from './descriptor.ts'
import { readDockerArchive } from './docker-archive/read.ts'
import { writeDockerArchive } from './docker-archive/write.ts'
import type { Image, Layer, StoredImage } from './image.ts'
import { compressionOf } from './media-types.ts'
import { parseName, parseRefName } from './name.ts'
import { notInLayout, platformMissing } from './problems.ts'
import { isIndex, type LayoutStore, openExchange } from './store/layout.ts'

/** Where an image can be copied from or to. */
export type CopyPlace =
  | { readonly kind: 'store'; readonly name: string }
  | { readonly kind: 'oci'; readonly directory: string; readonly tag: string | undefined }
  | { readonly kind: 'docker-archive'; readonly file: string; readonly name: string | undefined }

/** How an image is copied. */
export interface CopyOptions {
  /** Which image of several is meant, where the source holds one for each platform; OCI's word (`amd64`). */
  readonly architecture: string
  readonly report?: Report
}

/** What was copied: in a layout the digest of the manifest, in a Docker archive the image ID. */
export interface Copied {
  readonly digest: Digest
}

/** Reads `NAME`, `oci:DIR[:TAG]` or `docker-archive:FILE[:NAME]` (the spelling of containers-transports(5)). */
export function parsePlace(text: string, workingDirectory: string): CopyPlace {
  const archive = /^docker-archive:([^:]+)(?::(.+))?$/.exec(text)
  if (archive)
    return { kind: 'docker-archive', file: resolve(workingDirectory, archive[1] as string), name: archive[2] }
  const layout = /^oci:([^:]+)(?::(.+))?$/.exec(text)
  if (layout)
    return { kind: 'oci', directory: resolve(workingDirectory, layout[1] as string), tag: layout[2] }
  return { kind: 'store', name: text }
}

/**
 * Copies one image, blobs as they are and both digests of each layer checked on the way into a layout. Between layouts the
 * manifest keeps its bytes, hence its digest. Plain layers of a Docker archive are compressed.
 * Throws a `Problem` (`NOT_IN_LAYOUT`, `PLATFORM_MISSING`) if there is no such image, others if what is read is damaged.
 */
export async function copyImage(
  store: LayoutStore,
  from: CopyPlace,
  to: CopyPlace,
  { architecture, report = silent }: CopyOptions,
): Promise<Copied> {
  const name = writtenName(to)
  await using source = await openSource(store, from, architecture)
  const { image } = source
  if (to.kind === 'docker-archive') {
    const { imageId } = await writeDockerArchive(image, source.config, to.file, name ?? source.name)
    return { digest: imageId }
  }
  if (to.kind === 'oci') await mkdir(to.directory, { recursive: true })
  const target = to.kind === 'store' ? store : openExchange(to.directory)
  await using _lease = await target.lease()
  const layers: Layer[] = []
  for (const layer of image.layers) {
    using progress = report.progress(`copying ${layer.blob.digest.slice(0, 19)}`, layer.blob.size)
    layers.push(await takeOver(target, layer, from.kind === 'docker-archive'))
    progress.add(layer.blob.size)
  }
  const { digest } = source.stored
    ? await target.adopt(source.stored.layout, source.stored.image, [name as string])
    : await target.write({ ...image, layers, family: 'oci' }, [name as string])
  return { digest }
}

/** The name that an image gets at its place, tidied; checked before anything is copied. */
function writtenName(to: CopyPlace): string | undefined {
  if (to.kind === 'store') return parseName(to.name)
  if (to.kind === 'oci') return parseRefName(to.tag ?? 'latest')
  return to.name === undefined ? undefined : parseName(to.name)
}

async function takeOver(target: LayoutStore, layer: Layer, compress: boolean): Promise<Layer> {
  if (!compress || compressionOf(layer.blob.mediaType) !== 'none') return target.importLayer(layer)
  return (await target.layerByDiffId(layer.diffId)) ?? target.addLayer(() => plainOf(layer), layer.diffId)
}

async function* plainOf(layer: Layer): AsyncGenerator<Uint8Array> {
  yield* await layer.uncompressed()
}

/** An image that is open for reading where it is. */
export interface Source extends AsyncDisposable {
  readonly image: Image
  /** The configuration as it is written. */
  readonly config: Buffer
  /** What a repository calls it, if anything does. */
  readonly name: string | undefined
  /** Set where the manifest's bytes can be taken over. */
  readonly stored?: { readonly layout: LayoutStore; readonly image: StoredImage }
}

/** Opens one image where it is, to read it without copying it first. Throws a `Problem` (`NOT_IN_LAYOUT`, `PLATFORM_MISSING`). */
export async function openSource(store: LayoutStore, from: CopyPlace, architecture: string): Promise<Source> {
  if (from.kind === 'docker-archive') {
    return readDockerArchive(from.file, from.name, join(store.root, '.slipway/archives'))
  }
  const layout = from.kind === 'store' ? store : openExchange(from.directory)
  const lease = from.kind === 'store' ? await store.lease() : undefined
  try {
    const image =
      from.kind === 'store'
        ? await store.image(from.name)
        : await exchanged(layout, from.directory, from.tag, architecture)
    if (!image) throw notInLayout(from.kind === 'store' ? from.name : from.directory, await namesIn(layout))
    return {
      image,
      config: await layout.blobs.read(image.configDigest),
      name: repositoryName(from),
      stored: { layout, image },
      [Symbol.asyncDispose]: async () => lease?.[Symbol.asyncDispose](),
    }
  } catch (error) {
    await lease?.[Symbol.asyncDispose]()
    throw error
  }
}

/** A bare tag names no repository, and a digest no image. */
function repositoryName(from: Exclude<CopyPlace, { kind: 'docker-archive' }>): string | undefined {
  if (from.kind === 'store') return isDigest(from.name) ? undefined : parseName(from.name)
  return from.tag && /[:/]/.test(from.tag) ? parseName(from.tag) : undefined
}

/** The image of a tag, or the only image; where that is one for several platforms, the one for Linux on the architecture. */
async function exchanged(
  layout: LayoutStore,
  directory: string,
  tag: string | undefined,
  architecture: string,
) {
  const all = await layout.descriptors()
  const found = tag === undefined ? (all.length === 1 ? all[0] : undefined) : await layout.resolve(tag)
  if (!found) throw notInLayout(`oci:${directory}${tag ? `:${tag}` : ''}`, await namesIn(layout))
  const chosen = isIndex(found)
    ? choosePlatform(await layout.index(found.digest), architecture, directory)
    : found
  return layout.image(chosen.digest)
}

function choosePlatform(
  manifests: readonly Descriptor[],
  architecture: string,
  directory: string,
): Descriptor {
  const found = manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  )
  if (found) return found
  const platforms = manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`)
  throw platformMissing(`oci:${directory}`, `linux/${architecture}`, platforms)
}

async function namesIn(layout: LayoutStore): Promise<string[]> {
  return (await layout.list()).map(each => each.name)
}
