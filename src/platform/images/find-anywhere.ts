import { type LayoutStore, openSource, parseName, parsePlace, type StoredImage } from '#oci'
import { Problem } from '#std'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { imageMissing, imageNotOnHub, imageNowhere, imageUnnamed } from '../problems.ts'
import { findImage } from './find-image.ts'
import type { ImageWays } from './image-ways.ts'
import { findRegistryImage } from './registry-image.ts'
import { hasHost } from './registry-names.ts'

/** Where an image may be looked for. */
export interface FindOptions {
  readonly store: LayoutStore
  readonly ways: ImageWays
  readonly workingDirectory: string
}

/** What goes by a name here and in a registry; at least one of both. */
export interface FoundImages {
  readonly local: StoredImage | undefined
  readonly remote: StoredImage | undefined
}

/** `local`: no registry is asked; `remote`: nothing else is; `first`: a registry only where the store has nothing. */
export type FindWhere = 'anywhere' | 'first' | 'local' | 'remote'

/**
 * The image of a name or place in the store, and in its registry: what is read there is manifest and configuration. `docker://REFERENCE` is in a registry; `oci:DIR[:TAG]` and
 * `docker-daemon:NAME` are here. Of a name without a registry that the store knows no registry is asked, and one that does not answer is no failure where the store has the image.
 * Throws a `Problem` (`IMAGE_MISSING`, exit code 3).
 */
export async function findAnywhere(
  text: string,
  where: FindWhere,
  options: FindOptions,
): Promise<FoundImages> {
  const { store, ways, workingDirectory } = options
  const place = parsePlace(text, workingDirectory)
  if (place.kind === 'registry') return { local: undefined, remote: await remoteOf(text, ways) }
  if (place.kind !== 'store') return { local: await placed(text, options), remote: undefined }
  if (where === 'remote') return { local: undefined, remote: await remoteOf(text, ways) }
  if (where === 'local') return { local: await findImage(store, text), remote: undefined }
  const local = await findImage(store, text).catch(unlessMissing)
  if (local && (where === 'first' || !hasHost(text))) return { local, remote: undefined }
  if (!local && !isName(text)) throw imageMissing(text)
  const remote = await findRegistryImage(ways.registries, text).catch(error => {
    if (local && error instanceof Problem) return undefined
    throw error instanceof Problem && !hasHost(text) ? imageNotOnHub(text, error) : error
  })
  if (!local && !remote) throw imageNowhere(text)
  return { local, remote: remote?.image }
}

async function remoteOf(text: string, { registries }: ImageWays): Promise<StoredImage> {
  const found = await findRegistryImage(registries, text)
  if (!found) throw imageNowhere(text)
  return found.image
}

/** An image of a daemon or a layout; one in an archive has no digest of its own. */
async function placed(text: string, { store, ways, workingDirectory }: FindOptions): Promise<StoredImage> {
  const place = parsePlace(text, workingDirectory)
  if (place.kind === 'daemon') {
    const image = await (await ways.daemon()).image(place.name)
    if (!image) throw imageNowhere(text)
    return image
  }
  if (place.kind !== 'oci') throw imageUnnamed(text)
  await using source = await openSource(store, place, machineArchitecture())
  if (!source.stored) throw imageUnnamed(text)
  return source.stored.image
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Problem && (error.code === 'IMAGE_MISSING' || error.code === 'NAME_INVALID'))
    return undefined
  throw error
}

/** What may be a name in a registry; a shortened digest is not. */
function isName(text: string): boolean {
  try {
    return parseName(text.replace(/@sha256:[0-9a-f]{64}$/, '')) !== '' && !/^[0-9a-f]{7,64}$/.test(text)
  } catch {
    return false
  }
}
