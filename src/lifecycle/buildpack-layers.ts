import { lstatSync } from 'node:fs'
import { join, posix } from 'node:path'
import { escapeId, type GroupMember, type LayerDocument, type LayerName, parseStore, type Store } from '#cnb'
import { byBytes, isSystemError } from '#std'
import type { Place } from './executor.ts'
import { placeNotDirectory } from './export-problems.ts'
import { readLayers } from './read-layers.ts'
import { readUntrustedText } from './untrusted.ts'

/** A layer that a buildpack described with a `<layer>.toml`, with or without contents. */
export interface DescribedLayer {
  /** `id:layer`, as logs name it and layers are sorted by. */
  readonly identifier: string
  readonly name: LayerName
  readonly document: LayerDocument
  /** Where its contents are. */
  readonly place: Place
  readonly hasContents: boolean
}

/** What is in the directory of a buildpack once it has built. */
export interface DescribedLayers {
  /** In byte order of their identifiers. */
  readonly layers: readonly DescribedLayer[]
  readonly store?: Store
}

/**
 * Reads what a buildpack left in its directory (CNB buildpack specification, "Layer Types"). A directory without a `<layer>.toml` is
 * no layer. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, `LAYER_NAME_INVALID`, `PLACE_NOT_DIRECTORY`).
 */
export async function readBuildpackLayers(
  layers: Place,
  { id }: Pick<GroupMember, 'id'>,
): Promise<DescribedLayers> {
  const place = below(layers, escapeId(id))
  if (!isDirectory(layers, place)) return { layers: [] }
  const described = (await readLayers(place.host, id)).map((document): DescribedLayer => {
    const { name } = document
    const contents = below(place, name)
    return {
      identifier: `${id}:${name}`,
      name,
      document,
      place: contents,
      hasContents: isDirectory(layers, contents),
    }
  })
  const storeText = await readUntrustedText(join(place.host, 'store.toml'))
  return {
    layers: described.sort((a, b) => byBytes(a.identifier, b.identifier)),
    ...(storeText !== undefined && { store: parseStore(storeText, `${id}: store.toml`) }),
  }
}

/** The place of a name below another place. */
export function below(place: Place, name: string): Place {
  return { host: join(place.host, name), inside: posix.join(place.inside, name) }
}

/**
 * True if a place below `top` is a directory, false if there is nothing. Every step below `top` has to be a directory of its own: what a
 * buildpack can write may hold links to anywhere. Throws a `Problem` (`PLACE_NOT_DIRECTORY`, exit code 62).
 */
export function isDirectory(top: Place, place: Place): boolean {
  const steps = posix.relative(top.inside, place.inside).split('/').filter(Boolean)
  for (let count = 0; count <= steps.length; count++) {
    const path = join(top.host, ...steps.slice(0, count))
    try {
      if (!lstatSync(path).isDirectory())
        throw placeNotDirectory(posix.join(top.inside, ...steps.slice(0, count)))
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return false
      throw error
    }
  }
  return true
}
