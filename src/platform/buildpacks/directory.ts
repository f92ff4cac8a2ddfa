import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeId, parseBuildpack, parseBuildpackId } from '#cnb'
import type { BuildpackSource, FoundBuildpack } from '#lifecycle'
import { isSystemError, readIfExists } from '#std'
import type { BuildpackShelf } from '../builder/builder.ts'
import { buildpackDirectoryInvalid } from '../problems.ts'
import { findInRoot } from '../roots/root-files.ts'
import { buildpackIn, insideOf } from './tree.ts'

/** Where a builder has its buildpacks (CNB platform specification, "Builder"). */
const INSIDE = '/cnb/buildpacks'

/** Opens a directory of slipway's own, laid out as in a builder: `<escaped id>/<version>/buildpack.toml`. */
export function buildpackDirectory(directory: string): BuildpackShelf {
  const known = new Map<string, Promise<FoundBuildpack | undefined>>()
  const open = async (id: string, version: string) => {
    const place = join(escapeId(parseBuildpackId(id, 'an order')), version)
    const host = join(directory, place)
    const file = join(host, 'buildpack.toml')
    const text = await readIfExists(file)
    if (text === undefined) return undefined
    return { descriptor: parseBuildpack(text, file), root: { host, inside: `${INSIDE}/${place}` } }
  }
  return {
    find(id, version) {
      const key = `${id}@${version}`
      const found = known.get(key) ?? open(id, version)
      known.set(key, found)
      return found
    },
    async onlyVersion(id) {
      const versions = await readdir(join(directory, escapeId(parseBuildpackId(id, 'an order')))).catch(
        () => [],
      )
      return versions.length === 1 ? versions[0] : undefined
    },
  }
}

/** The buildpacks and extensions in the root of a builder of others, `/cnb/buildpacks` and `/cnb/extensions`. */
export function builderBuildpacks(root: string, name: string): BuildpackShelf {
  const known = new Map<string, Promise<FoundBuildpack | undefined>>()
  const find = (kind: 'buildpack' | 'extension', id: string, version: string) => {
    const key = `${kind} ${id}@${version}`
    const path = insideOf(kind, id, version)
    const found = known.get(key) ?? buildpackIn(root, path, kind, `${id}@${version} of ${name}`)
    known.set(key, found)
    return found
  }
  return {
    find: (id, version) => find('buildpack', id, version),
    findExtension: (id, version) => find('extension', id, version),
    async onlyVersion(id) {
      const directory = await findInRoot([root], `${INSIDE}/${escapeId(parseBuildpackId(id, 'an order'))}`)
      const versions = directory?.stats.isDirectory() ? await readdir(directory.host) : []
      return versions.length === 1 ? versions[0] : undefined
    },
  }
}

/** Opens one buildpack that a person names by its directory. Throws a `Problem` (`BUILDPACK_DIRECTORY_INVALID`). */
export async function oneBuildpack(path: string): Promise<FoundBuildpack> {
  try {
    const host = await realpath(path)
    const file = join(host, 'buildpack.toml')
    const descriptor = parseBuildpack(await readFile(file, 'utf8'), file)
    return {
      descriptor,
      root: { host, inside: `${INSIDE}/${escapeId(descriptor.id)}/${descriptor.version}` },
    }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR')) throw error
    throw buildpackDirectoryInvalid(path, error)
  }
}

/** Several sources as one; the first that knows a buildpack answers. */
export function buildpackSources(sources: readonly BuildpackSource[]): BuildpackSource {
  return {
    async find(id, version) {
      for (const source of sources) {
        const found = await source.find(id, version)
        if (found) return found
      }
      return undefined
    },
    async findExtension(id, version) {
      for (const source of sources) {
        const found = await source.findExtension?.(id, version)
        if (found) return found
      }
      return undefined
    },
  }
}

/** Buildpacks at hand as a source. */
export function buildpackList(buildpacks: readonly FoundBuildpack[]): BuildpackSource {
  return {
    find: async (id, version) =>
      buildpacks.find(({ descriptor }) => descriptor.id === id && descriptor.version === version),
  }
}
