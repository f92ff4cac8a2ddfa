import {
  parseReference,
  printReference,
  type Registries,
  type RegistryStore,
  type StoredImage,
  withTag,
} from '#oci'
import { Problem } from '#std'
import { bareName } from './registry-names.ts'

/** An image of a registry: its manifest and configuration were read, its layers are where they are. */
export interface RemoteImage {
  readonly image: StoredImage
  readonly store: RegistryStore
  /** In full, with its tag. */
  readonly name: string
  /** In full, by digest. */
  readonly reference: string
}

/** The image of `REFERENCE` or `docker://REFERENCE`; undefined if the registry has none. Throws what a registry has to say. */
export async function findRegistryImage(
  registries: Registries,
  text: string,
): Promise<RemoteImage | undefined> {
  const reference = withTag(parseReference(bareName(text)))
  const store = registries.store(reference)
  const name = printReference(reference)
  const image = await store.image(name)
  if (!image) return undefined
  const { tag: _, ...place } = reference
  return {
    image,
    store,
    name,
    reference: printReference({ ...place, digest: image.digest }),
  }
}

/** Names with those in a registry first; the order is kept otherwise. */
export function nearestFirst(names: readonly string[], registry: string | undefined): string[] {
  const near = names.filter(name => registry !== undefined && registryOf(name) === registry)
  return [...near, ...names.filter(name => !near.includes(name))]
}

/** The registry of a name; undefined for what is no reference. */
export function registryOf(name: string): string | undefined {
  try {
    return parseReference(bareName(name)).registry
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
