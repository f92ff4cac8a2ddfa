import { chmod, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeId, parseBuildpack } from '#cnb'
import type { FoundBuildpack } from '#lifecycle'
import { findInRoot, readInRoot } from '../roots/root-files.ts'

type Kind = FoundBuildpack['descriptor']['kind']

/** Where a builder has its buildpacks or extensions (CNB platform specification, "Builder"). */
export const insideOf = (kind: Kind, id: string, version: string) =>
  `/cnb/${kind}s/${escapeId(id as FoundBuildpack['descriptor']['id'])}/${version}`

/**
 * A buildpack or extension at a path of a tree that others made: links are followed within the tree alone. Undefined if there is none.
 * Throws what `parseBuildpack` throws, in words that name `source`.
 */
export async function buildpackIn(
  tree: string,
  path: string,
  kind: Kind,
  source: string,
): Promise<FoundBuildpack | undefined> {
  const directory = await findInRoot([tree], path)
  if (!directory?.stats.isDirectory()) return undefined
  const text = await readInRoot([tree], `${path}/${kind}.toml`)
  if (text === undefined) return undefined
  const descriptor = parseBuildpack(text, `${kind}.toml of ${source}`)
  return {
    descriptor,
    root: { host: directory.host, inside: insideOf(descriptor.kind, descriptor.id, descriptor.version) },
  }
}

/** Makes the executables of an unpacked buildpack executable, as pack does: archives made on other systems often lack the modes. */
export async function makeExecutable({ root }: FoundBuildpack): Promise<void> {
  for (const name of ['detect', 'build', 'generate']) {
    const path = join(root.host, 'bin', name)
    const stats = await lstat(path).catch(() => undefined)
    if (stats?.isFile() && (stats.mode & 0o111) !== 0o111) await chmod(path, 0o755)
  }
}
