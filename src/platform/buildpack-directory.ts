import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeId, parseBuildpack, parseBuildpackId } from '#cnb'
import type { BuildpackSource, FoundBuildpack } from '#lifecycle'
import { isSystemError, readIfExists } from '#std'
import { buildpackDirectoryInvalid } from './problems.ts'

/** Where a builder has its buildpacks (CNB platform specification, "Builder"). */
const INSIDE = '/cnb/buildpacks'

/** Opens a directory laid out as in a builder: `<escaped id>/<version>/buildpack.toml`. */
export function buildpackDirectory(directory: string): BuildpackSource & {
  /** The version of an id, where there is just one. */
  onlyVersion(id: string): Promise<string | undefined>
} {
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
  }
}

/** Buildpacks at hand as a source. */
export function buildpackList(buildpacks: readonly FoundBuildpack[]): BuildpackSource {
  return {
    find: async (id, version) =>
      buildpacks.find(({ descriptor }) => descriptor.id === id && descriptor.version === version),
  }
}
