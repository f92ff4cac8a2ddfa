import { join } from 'node:path'
import { isDigest } from '#std'
import { type CopyPlace, placeText } from './copy-place.ts'
import type { Descriptor } from './descriptor.ts'
import { readDockerArchive } from './docker-archive/read.ts'
import type { Image, StoredImage } from './image.ts'
import { namedBy, parseName } from './name.ts'
import { notInLayout, platformMissing } from './problems.ts'
import { parseReference } from './reference.ts'
import type { DaemonStore } from './store/daemon/daemon.ts'
import type { ImageDocuments } from './store/image-documents.ts'
import { isIndex, type LayoutStore, openExchange } from './store/layout.ts'
import type { Registries } from './store/registry/registries.ts'

/** The ways to places that are not on this machine's disk; each is opened by whoever needs it. */
export interface CopyWays {
  readonly registries?: Registries | undefined
  readonly daemon?: (() => Promise<DaemonStore>) | undefined
}

/** An image that is open for reading where it is. */
export interface Source extends AsyncDisposable {
  readonly image: Image
  /** The configuration as it is written. */
  readonly config: Buffer
  /** What a repository calls it, if anything does. */
  readonly name: string | undefined
  /** Set where the manifest's bytes can be taken over. */
  readonly stored?: { readonly image: StoredImage; readonly documents: ImageDocuments }
}

/**
 * Opens one image where it is, to read it without copying it first. Where there is one for each platform, that for Linux on the architecture (OCI's word), but for registries,
 * which know their platform. Throws a `Problem` (`NOT_IN_LAYOUT`, `PLATFORM_MISSING`, …).
 */
export async function openSource(
  store: LayoutStore,
  from: CopyPlace,
  architecture: string,
  ways: CopyWays = {},
): Promise<Source> {
  switch (from.kind) {
    case 'docker-archive':
      return await readDockerArchive(from.file, from.name, join(store.root, '.slipway/archives'))
    case 'daemon':
      return await fromDaemon(from, ways)
    case 'registry':
      return await fromRegistry(from, ways)
    case 'oci':
      return await fromLayout(from, architecture)
    case 'store':
      return await fromStore(store, from)
  }
}

async function fromStore(store: LayoutStore, from: CopyPlace & { kind: 'store' }): Promise<Source> {
  const lease = await store.lease()
  try {
    const image = await store.image(from.name)
    if (!image) throw notInLayout(from.name, await namesIn(store))
    return {
      ...(await opened(store, image, namedBy(from.name))),
      [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
    }
  } catch (error) {
    await lease[Symbol.asyncDispose]()
    throw error
  }
}

async function fromLayout(
  { directory, tag }: CopyPlace & { kind: 'oci' },
  architecture: string,
): Promise<Source> {
  const layout = openExchange(directory)
  const image = await exchanged(layout, directory, tag, architecture)
  if (!image) throw notInLayout(directory, await namesIn(layout))
  // A bare tag names no repository.
  return await opened(layout, image, tag && /[:/]/.test(tag) ? parseName(tag) : undefined)
}

async function opened(layout: LayoutStore, image: StoredImage, name: string | undefined): Promise<Source> {
  const documents = await layout.documents(image)
  return {
    image,
    config: documents.config,
    name,
    stored: { image, documents },
    async [Symbol.asyncDispose]() {},
  }
}

async function fromRegistry(from: CopyPlace & { kind: 'registry' }, ways: CopyWays): Promise<Source> {
  const reference = parseReference(from.reference)
  const store = registriesOf(ways).store(reference)
  const image = await store.image(from.reference)
  if (!image) throw notInLayout(placeText(from), [])
  const documents = await store.documents(from.reference, image)
  const { tag, registry, repository } = reference
  return {
    image,
    config: documents.config,
    name: tag === undefined ? undefined : parseName(`${registry}/${repository}:${tag}`),
    stored: { image, documents },
    async [Symbol.asyncDispose]() {},
  }
}

async function fromDaemon(from: CopyPlace & { kind: 'daemon' }, ways: CopyWays): Promise<Source> {
  const daemon = await daemonOf(ways)
  const archive = await daemon.save(from.name)
  if (!archive) throw notInLayout(placeText(from), [])
  return { ...archive, name: isDigest(from.name) ? undefined : parseName(from.name) }
}

export function registriesOf({ registries }: CopyWays): Registries {
  if (!registries) throw new Error('a place in a registry was given where none was expected')
  return registries
}

export async function daemonOf({ daemon }: CopyWays): Promise<DaemonStore> {
  if (!daemon) throw new Error('a place in a daemon was given where none was expected')
  return await daemon()
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
