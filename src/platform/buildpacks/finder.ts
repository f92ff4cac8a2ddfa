import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type BuildpackLocator, parseBuildpackLocator, parsePackageConfig } from '#cnb'
import type { BuildpackSource } from '#lifecycle'
import type { MachineSources } from '#runtimes'
import { digestOf, hexOf, type Report } from '#std'
import type { ForeignImages } from '../images/foreign-image.ts'
import { findInRegistryIndex } from '../packaging/registry-index.ts'
import { buildpackUnknown, packageTooDeep } from '../problems.ts'
import { parseInput, readInput } from '../read-input.ts'
import type { Unpacked } from '../roots/unpacked.ts'
import { archivedBuildpacks } from './archive.ts'
import { buildpackList, buildpackSources, oneBuildpack } from './directory.ts'
import { downloadFile } from './download-file.ts'
import { type OpenedBuildpacks, packagedBuildpacks } from './packaged-buildpacks.ts'

/** What buildpacks of others are found with. */
export interface FinderOptions {
  readonly images: ForeignImages
  readonly unpacked: Unpacked
  readonly http: Pick<MachineSources['access'], 'get'>
  /** A directory of this build alone. */
  readonly scratch: string
  readonly report: Report
  readonly signal: AbortSignal
  /** Where ids of buildpack registries are looked up; the public index unless told otherwise. */
  readonly registry: string | undefined
  readonly workingDirectory: string
}

/** A place where a buildpack of others may be. */
export type BuildpackPlace = Extract<
  BuildpackLocator,
  { readonly kind: 'path' | 'url' | 'image' | 'registry-id' }
>

/** Opens buildpacks that are not the builder's own. */
export interface BuildpackFinder {
  /** Paths are relative to `base`. */
  open(place: BuildpackPlace, base: string): Promise<OpenedBuildpacks>
}

const DEEPEST = 8

/**
 * Opens buildpacks wherever they are: a directory (with what its package.toml depends on), a `.cnb` or `.tgz` file, one that is downloaded, an image of the
 * store or another place. Throws a `Problem` (`BUILDPACK_DIRECTORY_INVALID`, `BUILDPACK_ARCHIVE_INVALID`, `BUILDPACK_PACKAGE_INVALID`, …).
 */
export function buildpackFinder(options: FinderOptions): BuildpackFinder {
  const { images, unpacked, scratch } = options
  const open = async (place: BuildpackPlace, base: string, depth: number): Promise<OpenedBuildpacks> => {
    if (place.kind === 'image')
      return packagedBuildpacks(await images.find(place.reference), place.reference, unpacked)
    if (place.kind === 'registry-id') {
      const reference = await findInRegistryIndex(place.id, place.version, {
        options: { ...options, buildpackRegistry: options.registry },
        sources: async () => ({ access: options.http }),
      })
      options.report.line(`${place.id} is ${reference}`)
      return packagedBuildpacks(await images.find(`docker://${reference}`), place.id, unpacked)
    }
    if (place.kind === 'url') {
      const file = join(scratch, `${hexOf(digestOf(place.url)).slice(0, 16)}.download`)
      await downloadFile(place.url, file, options)
      return archivedBuildpacks(file, place.url, unpacked)
    }
    const path = resolve(base, place.path)
    if (await isFile(path)) return archivedBuildpacks(path, place.path, unpacked)
    if (depth > DEEPEST) throw packageTooDeep(place.path)
    const found = await oneBuildpack(path)
    const { id, version } = found.descriptor
    const sources = [buildpackList([found]), ...(await dependencies(path, depth))]
    return { main: { id, version }, source: buildpackSources(sources) }
  }
  /** What a package.toml beside buildpack.toml depends on, as pack does it. */
  const dependencies = async (directory: string, depth: number): Promise<BuildpackSource[]> => {
    const file = join(directory, 'package.toml')
    const text = await readInput(file)
    if (text === undefined) return []
    const sources: BuildpackSource[] = []
    for (const { uri, image } of parseInput(() => parsePackageConfig(text, file)).dependencies) {
      const place =
        image === undefined
          ? await placeOf(uri ?? '', directory)
          : { kind: 'image' as const, reference: image }
      sources.push((await open(place, directory, depth + 1)).source)
    }
    return sources
  }
  return { open: (place, base) => open(place, base, 0) }
}

/** In a package.toml bare text is a path, else an image. */
async function placeOf(text: string, base: string): Promise<BuildpackPlace> {
  const locator = parseInput(() => parseBuildpackLocator(text))
  switch (locator.kind) {
    case 'bare':
      return (await exists(resolve(base, text)))
        ? { kind: 'path', path: text }
        : { kind: 'image', reference: text }
    case 'from-builder':
    case 'builder-id':
      throw buildpackUnknown(text, [])
    case 'image':
      return { kind: 'image', reference: `docker://${locator.reference}` }
    default:
      return locator
  }
}

/** True if there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** True if there is a plain file at a path. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isFile(),
    () => false,
  )
}
