import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  BUILDPACK_LAYERS_LABEL,
  BUILDPACKAGE_LABEL,
  type Buildpackage,
  EXTENSION_LAYERS_LABEL,
  idAndVersion,
  type ModuleLayer,
  mayBeRegistryId,
  parseBuildpackage,
  parseBuildpackLocator,
  parseModuleLayers,
} from '#cnb'
import { type Image, labelsOf } from '#oci'
import { bothImages } from './builder-inspect.ts'
import type { PackagingContext } from './context.ts'
import { openArchive } from './locate.ts'
import { notPackaged } from './problems.ts'
import { findInRegistryIndex } from './registry-index.ts'

/** What a buildpackage says of itself. */
export interface InspectedPackage {
  readonly name: string
  readonly location: 'file' | 'registry' | 'store' | 'image'
  readonly remote?: PackageFacts
  readonly local?: PackageFacts
}

/** The labels of a buildpackage, read. */
export interface PackageFacts {
  readonly about: Buildpackage
  readonly buildpacks: readonly ModuleLayer[]
  readonly extensions: readonly ModuleLayer[]
}

/**
 * Reads what a buildpackage says of itself: a file, an image of the store or a registry, an id of a buildpack registry.
 * Throws a `Problem` (`MODULE_MISSING`, `NOT_A_BUILDPACKAGE`, or what reading it throws).
 */
export async function inspectPackage(text: string, context: PackagingContext): Promise<InspectedPackage> {
  const path = await fileOf(text, context)
  if (path !== undefined) {
    return { name: text, location: 'file', local: factsOf(await openArchive(path, text, context), text) }
  }
  const registry = await registryReference(text, context)
  const name = registry === undefined ? text : `docker://${registry}`
  const { remote, local } = await bothImages(name, context)
  return {
    name: text,
    location: registry === undefined ? (remote ? 'image' : 'store') : 'registry',
    ...(remote && { remote: factsOf(remote, text) }),
    ...(local && { local: factsOf(local, text) }),
  }
}

async function fileOf(text: string, { options }: PackagingContext): Promise<string | undefined> {
  const locator = parseBuildpackLocator(text)
  const named = locator.kind === 'path' ? locator.path : locator.kind === 'bare' ? locator.text : undefined
  if (named === undefined) return undefined
  const path = resolve(options.workingDirectory, named)
  const found = await stat(path).catch(() => undefined)
  return locator.kind === 'path' || found?.isFile() ? path : undefined
}

async function registryReference(text: string, context: PackagingContext): Promise<string | undefined> {
  const locator = parseBuildpackLocator(text)
  if (locator.kind === 'registry-id') return findInRegistryIndex(locator.id, locator.version, context)
  if (locator.kind !== 'bare' || !mayBeRegistryId(text)) return undefined
  const { id, version } = idAndVersion(text)
  if (version === undefined && (await context.store.resolve(text))) return undefined
  // Bare text is an id only to those who named an index, or said so with a version.
  if (version === undefined && context.options.buildpackRegistry === undefined) return undefined
  return findInRegistryIndex(id, version, context)
}

function factsOf(image: Image, name: string): PackageFacts {
  const labels = labelsOf(image.config)
  const about = labels[BUILDPACKAGE_LABEL]
  if (about === undefined) throw notPackaged(name, 'buildpackage')
  const modules = (label: string) =>
    parseModuleLayers(labels[label] ?? 'null', `the label ${label} of ${name}`)
  return {
    about: parseBuildpackage(about, `the label ${BUILDPACKAGE_LABEL} of ${name}`),
    buildpacks: modules(BUILDPACK_LAYERS_LABEL),
    extensions: modules(EXTENSION_LAYERS_LABEL),
  }
}
