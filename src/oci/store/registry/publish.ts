import { type Digest, isDigest, isSystemError, Problem } from '#std'
import { describeBytes } from '../../descriptor.ts'
import type { Image, Layer } from '../../image.ts'
import { LARGEST_MANIFEST } from '../../manifest.ts'
import { DOCKER, OCI } from '../../media-types.ts'
import { nameIn, printReference, type Reference, type Repository } from '../../reference.ts'
import type { ImageDocuments } from '../image-documents.ts'
import type { Document, Manifests } from './manifests.ts'
import type { Presence } from './presence.ts'
import { manifestTooLarge, tagsPartial } from './problems.ts'

/** Blobs under way at once. */
const AT_ONCE = 4

/** What publishing needs. */
export interface PublishGround {
  readonly presence: Presence
  readonly manifests: (repository: Repository) => Manifests
  /** What a reference stood for when it was read; undefined for one that was not. */
  readonly seen: (reference: Reference) => Digest | undefined
}

/**
 * Writes an image under references of one registry, each with a tag or a digest: layers and the configuration, then the manifest, then the tags, each whole or not at all. References that stand
 * for the very image already cost one request each, and none are asked about that were just seen to stand for another. Throws a `Problem` (`REGISTRY_TAGS_PARTIAL` if only some could be written, `MANIFEST_TOO_LARGE`, …).
 */
export async function publish(
  ground: PublishGround,
  image: Image,
  { manifest, config }: ImageDocuments,
  references: readonly Reference[],
): Promise<void> {
  if (manifest.length > LARGEST_MANIFEST)
    throw manifestTooLarge(printReference(references[0] as Reference), manifest.length)
  const types = image.family === 'oci' ? OCI : DOCKER
  const document = { descriptor: describeBytes(types.manifest, manifest), bytes: manifest }
  const missing = await missingOf(ground, references, document)
  const repositories = [
    ...new Map(missing.map(({ registry, repository }) => [repository, { registry, repository }])).values(),
  ]
  const layers = [...new Map(image.layers.map(layer => [layer.blob.digest, layer])).values()]
  const parts = { layers, config, mediaType: types.config }
  for (const repository of repositories) await bringParts(ground, parts, repository)
  // With several names the manifest goes ahead under its digest: what a registry has against it is known before the first tag moves.
  if (missing.length > 1)
    for (const repository of repositories)
      await put(ground, parts, repository, document.descriptor.digest, document)
  await nameAll(ground, parts, missing, document)
}

interface Parts {
  readonly layers: readonly Layer[]
  readonly config: Buffer
  readonly mediaType: string
}

async function bringParts(
  { presence }: PublishGround,
  { layers, config, mediaType }: Parts,
  repository: Repository,
): Promise<void> {
  await Promise.all([
    inParallel(layers, AT_ONCE, layer => presence.ensure(layer, repository)),
    presence.putBytes(describeBytes(mediaType, config), config, repository),
  ])
}

/** Writes a manifest. Where the registry lacks a blob that it had, for all we knew, it is asked about each of them, and gets those that it lacks. */
async function put(
  ground: PublishGround,
  parts: Parts,
  repository: Repository,
  name: string,
  document: Document,
): Promise<void> {
  const scopes = [`repository:${repository.repository}:pull,push`]
  const manifests = ground.manifests(repository)
  try {
    await manifests.put(name, document, scopes)
  } catch (error) {
    if (!isSystemError(error, 'REGISTRY_REFUSED') || !/BLOB_UNKNOWN/.test(error.message)) throw error
    ground.presence.forget(repository)
    const doubted = parts.layers.map(({ origin: _, ...layer }) => layer)
    await bringParts(ground, { ...parts, layers: doubted }, repository)
    await manifests.put(name, document, scopes)
  }
}

async function nameAll(
  ground: PublishGround,
  parts: Parts,
  wanted: readonly Reference[],
  document: Document,
): Promise<void> {
  const written: string[] = []
  for (const [index, reference] of wanted.entries()) {
    const name = nameIn(reference)
    if (isDigest(name) && wanted.length > 1) continue
    try {
      await put(ground, parts, reference, name, document)
      written.push(printReference(reference))
    } catch (error) {
      if (written.length === 0 || !(error instanceof Problem)) throw error
      throw tagsPartial(written, wanted.slice(index).map(printReference), error)
    }
  }
}

/** The references that do not stand for the document yet. */
async function missingOf(
  { manifests, seen }: PublishGround,
  wanted: readonly Reference[],
  { descriptor }: Document,
): Promise<Reference[]> {
  const found = await inParallel(wanted, AT_ONCE, async reference => {
    const before = seen(reference)
    if (before !== undefined && before !== descriptor.digest) return before
    return (await manifests(reference).head(nameIn(reference)))?.digest
  })
  return wanted.filter((_, index) => found[index] !== descriptor.digest)
}

/** Does something for each of many, so many at once; the first failure is the whole's. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const work = async () => {
    for (let index = next++; index < items.length; index = next++)
      results[index] = await act(items[index] as Item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  return results
}
