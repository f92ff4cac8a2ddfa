import { join } from 'node:path'
import { escapeId, parseBuildpack, parseBuildpackId } from '#cnb'
import type { BuildpackSource, FoundBuildpack } from '#lifecycle'
import { readIfExists } from '#std'

/** The buildpacks and image extensions of a builder, by its directories (CNB platform specification, "Builder": `<escaped id>/<version>`). */
export function builderModules(buildpacks: string, extensions: string): BuildpackSource {
  const known = new Map<string, Promise<FoundBuildpack | undefined>>()
  const find = (directory: string, file: string) => (id: string, version: string) => {
    const path = join(directory, escapeId(parseBuildpackId(id, 'an order')), version)
    const found = known.get(path) ?? open(path, file)
    known.set(path, found)
    return found
  }
  return {
    find: find(buildpacks, 'buildpack.toml'),
    findExtension: find(extensions, 'extension.toml'),
  }
}

async function open(host: string, name: string): Promise<FoundBuildpack | undefined> {
  const file = join(host, name)
  const text = await readIfExists(file)
  return text === undefined
    ? undefined
    : { descriptor: parseBuildpack(text, file), root: { host, inside: host } }
}
