import {
  type ImageStore,
  type LayoutStore,
  openExchange,
  parseName,
  parseReference,
  parseRefName,
  printReference,
  type RegistryStore,
  type StoredImage,
  withTag,
  writeDockerArchive,
} from '#oci'
import type { Digest } from '#std'
import type { ImageWays } from '../images/image-ways.ts'
import { registriesDiffer } from '../problems.ts'
import type { BuildRequest } from './request.ts'

/** What a build made, or found made. */
export interface BuiltImage {
  readonly digest: Digest
  readonly manifestSize: number
  /** Set in a daemon, where this is what names the image. */
  readonly imageId?: Digest
}

/** Where the image of a build goes. */
export interface BuildTarget {
  readonly store: ImageStore
  /** Names in the words of the store, the image's own first. */
  readonly names: readonly [string, ...string[]]
  /** Under which what the build was made from is remembered; undefined where nothing can be told from what is there. */
  readonly key: string | undefined
  /** True if the store is not the one that bases are in. */
  readonly elsewhere: boolean
  /** The registry, where it is one. */
  readonly registry?: string
  /** Throws where the image could not be put in the end, before anything is made. */
  checkWritable(): Promise<void>
  /** The image that an earlier build made, with how it can be named exactly. Its layers are taken again. */
  previous(): Promise<{ readonly image: StoredImage; readonly reference: string } | undefined>
  /** What has the first name now; costs little. */
  current(): Promise<BuiltImage | undefined>
  /** Gives the image of the first name, which is this one, the others too. */
  nameAlike(image: BuiltImage): Promise<void>
}

/** Finds the place that a build is to put its image to. Throws a `Problem` (`NAME_INVALID`, `REGISTRIES_DIFFER`, `DAEMON_UNREACHABLE`, …). */
export async function openBuildTarget(
  request: BuildRequest,
  local: LayoutStore,
  ways: ImageWays,
): Promise<BuildTarget> {
  const { output, name, tags } = request
  const all: readonly [string, ...string[]] = [name, ...tags]
  for (const each of all) parseName(each)
  switch (output.kind) {
    case 'store':
      return inStore(request, local, local, all, { key: name, elsewhere: false })
    case 'registry':
      return inRegistry(request, local, ways, all)
    case 'daemon': {
      const daemon = await ways.daemon()
      return inStore(request, daemon, local, all, { key: `docker-daemon:${name}`, elsewhere: true })
    }
    case 'oci': {
      const { directory, tag = 'latest' } = output
      const named = [parseRefName(tag), ...tags.map(tagOf)] as [string, ...string[]]
      const place = { key: `oci:${directory}:${tag}`, elsewhere: true }
      return inStore(request, openExchange(directory), local, named, place)
    }
    case 'docker-archive':
      return inArchive(request, output.file, local, all)
  }
}

function tagOf(name: string): string {
  return parseName(name).replace(/^.*:/, '')
}

function inStore(
  { previousImage }: BuildRequest,
  store: ImageStore,
  local: LayoutStore,
  names: readonly [string, ...string[]],
  place: Pick<BuildTarget, 'key' | 'elsewhere'>,
): BuildTarget {
  const [first] = names
  return {
    ...place,
    async checkWritable() {},
    store: place.elsewhere ? withPacked(store, local) : store,
    names,
    async previous() {
      const image = await store.image(previousImage ?? first)
      return image && { image, reference: `${previousImage ?? first}@${image.digest}` }
    },
    current: () => store.image(first),
    async nameAlike() {
      const image = await store.image(first)
      if (image) await store.write(image, names)
    },
  }
}

function inRegistry(
  { previousImage }: BuildRequest,
  local: LayoutStore,
  ways: ImageWays,
  all: readonly [string, ...string[]],
): BuildTarget {
  const references = all.map(parseReference)
  const [first] = references as [ReturnType<typeof parseReference>]
  const other = references.find(({ registry }) => registry !== first.registry)
  if (other) throw registriesDiffer(first.registry, other.registry)
  const store: RegistryStore = ways.registries.store(first)
  const find = async (name: string) => {
    const reference = withTag(parseReference(name))
    const image = await store.image(printReference(reference))
    const { tag: _, ...place } = reference
    return image && { image, reference: printReference({ ...place, digest: image.digest }) }
  }
  return {
    store: withPacked(store, local),
    names: all,
    key: `docker://${printReference(withTag(first))}`,
    elsewhere: true,
    registry: first.registry,
    checkWritable: () => store.checkWritable(),
    async previous() {
      const found = await find(previousImage ?? all[0])
      if (found) store.reuse(found.image)
      return found
    },
    async current() {
      const found = await store.resolve(all[0])
      return found && { digest: found.digest, manifestSize: found.size }
    },
    async nameAlike({ digest }) {
      const others = await Promise.all(all.slice(1).map(name => store.resolve(name)))
      if (others.every(other => other?.digest === digest)) return
      const found = await find(all[0])
      if (found) await store.adopt(found.image, await store.documents(found.reference, found.image), all)
    },
  }
}

/** Layers stay in the local store, under no name; the archive is written from them. */
function inArchive(
  { previousImage }: BuildRequest,
  file: string,
  local: LayoutStore,
  names: readonly [string, ...string[]],
): BuildTarget {
  return {
    store: {
      ...delegate(local),
      async write(image) {
        const stored = await local.write(image, [])
        const { config } = await local.documents(stored)
        const { imageId } = await writeDockerArchive(stored, config, file, names.map(parseName))
        return { ...stored, imageId }
      },
    },
    names,
    key: undefined,
    elsewhere: false,
    async checkWritable() {},
    async previous() {
      const image = previousImage === undefined ? undefined : await local.image(previousImage)
      return image && { image, reference: `${previousImage}@${image.digest}` }
    },
    current: async () => undefined,
    async nameAlike() {},
  }
}

/** What the local store has packed already is not packed again. */
function withPacked(store: ImageStore, local: LayoutStore): ImageStore {
  return {
    ...delegate(store),
    async layerByDiffId(diffId) {
      const there = await store.layerByDiffId(diffId)
      if (there) return there
      const here = await local.layerByDiffId(diffId)
      return here && (await store.importLayer(here))
    },
  }
}

function delegate(store: ImageStore): ImageStore {
  return {
    image: reference => store.image(reference),
    layerByDiffId: diffId => store.layerByDiffId(diffId),
    has: layer => store.has(layer),
    addLayer: (open, expected) => store.addLayer(open, expected),
    importLayer: layer => store.importLayer(layer),
    write: (image, names) => store.write(image, names),
    lease: () => store.lease(),
  }
}
