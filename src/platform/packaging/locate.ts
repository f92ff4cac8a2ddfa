import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type BuildpackDescriptor, idAndVersion, mayBeRegistryId, parseBuildpackLocator } from '#cnb'
import { type Image, isLayoutArchive, readLayoutArchive } from '#oci'
import { digestOf, hexOf, isGzip, isSystemError, Problem } from '#std'
import { downloadFile } from '../buildpacks/download-file.ts'
import { archiveFiles, directoryFiles, type ModuleFiles, plainBytes } from './blob.ts'
import type { PackagingContext } from './context.ts'
import { imageModules } from './image-modules.ts'
import type { LocatedModules } from './module.ts'
import { moduleInvalid, moduleMissing, notInContext } from './problems.ts'
import { findInRegistryIndex } from './registry-index.ts'
import { rootModule } from './root-module.ts'

type Kind = BuildpackDescriptor['kind']

/** Where a module is: a locator or, as old files have it, the reference of an image. */
export interface ModuleLocation {
  readonly uri?: string
  readonly image?: string
}

/**
 * The modules at a place, by every locator that pack knows: an image, an id of a buildpack registry, an address, a path (from `base`) of a directory or of an
 * archive; bare text is a path that exists, else an id of a registry, else an image. Throws a `Problem` (`MODULE_MISSING`, `MODULE_INVALID`, …).
 */
export async function locateModules(
  { uri, image }: ModuleLocation,
  base: string,
  kind: Kind,
  context: PackagingContext,
): Promise<LocatedModules> {
  if (uri === undefined) return ofImage(image ?? '', kind, context)
  const locator = parseBuildpackLocator(uri)
  switch (locator.kind) {
    case 'from-builder':
    case 'builder-id':
      throw notInContext(uri)
    case 'registry-id':
      return ofRegistry(locator.id, locator.version, kind, context)
    case 'image':
      return ofImage(locator.reference, kind, context)
    case 'url':
      return ofFile(await download(locator.url, context), locator.url, kind, context)
    case 'path':
      return ofPath(resolve(base, locator.path), locator.path, kind, context)
    case 'bare': {
      const path = resolve(base, locator.text)
      if (await exists(path)) return ofPath(path, locator.text, kind, context)
      if (mayBeRegistryId(locator.text) && !(await isHere(locator.text, context))) {
        const { id, version } = idAndVersion(locator.text)
        return ofRegistry(id, version, kind, context)
      }
      if (/^[./]/.test(locator.text)) throw moduleMissing(locator.text)
      return ofImage(locator.text, kind, context)
    }
  }
}

/** The files of a module at a path or an address: a directory, or an archive that is no buildpackage. */
export async function locateFiles(
  uri: string,
  base: string,
  context: PackagingContext,
  view?: (directory: string) => Promise<{ root: string; descriptor?: { name: string; text: string } }>,
): Promise<ModuleFiles | undefined> {
  const locator = parseBuildpackLocator(uri)
  if (locator.kind === 'url') return filesOf(await download(locator.url, context), locator.url)
  if (locator.kind !== 'path' && locator.kind !== 'bare') return undefined
  const text = locator.kind === 'path' ? locator.path : locator.text
  const path = resolve(base, text)
  if (!(await exists(path))) throw moduleMissing(text)
  if (!(await stat(path)).isDirectory()) return filesOf(path, text)
  const seen = view ? await view(path) : { root: path }
  return directoryFiles(seen.root, text, seen.descriptor)
}

async function filesOf(file: string, place: string): Promise<ModuleFiles | undefined> {
  const packed = await isGzip(file)
  const layout = await asModule(place, () => isLayoutArchive(place, () => plainBytes(file, packed)))
  return layout ? undefined : archiveFiles(file, place, packed)
}

async function ofPath(path: string, place: string, kind: Kind, context: PackagingContext) {
  if (!(await exists(path))) throw moduleMissing(place)
  if (!(await stat(path)).isDirectory()) return ofFile(path, place, kind, context)
  return { main: await rootModule(directoryFiles(path, place), kind), dependencies: [] }
}

async function ofFile(file: string, place: string, kind: Kind, context: PackagingContext) {
  const files = await filesOf(file, place)
  if (files) return { main: await rootModule(files, kind), dependencies: [] }
  return imageModules(await openArchive(file, place, context), place, kind)
}

/** The image in a `.cnb` file. Throws a `Problem` (`MODULE_INVALID`, or what reading its documents throws). */
export async function openArchive(file: string, place: string, context: PackagingContext): Promise<Image> {
  return asModule(
    place,
    async () => context.keep(await readLayoutArchive(file, await context.scratch())).image,
  )
}

/** Whoever gives an archive hears of it by its own name. */
async function asModule<Result>(place: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem && error.code === 'ARCHIVE_UNUSABLE')
      throw moduleInvalid(place, error.why, error)
    throw error
  }
}

async function ofImage(reference: string, kind: Kind, context: PackagingContext): Promise<LocatedModules> {
  return imageModules(await context.image(reference), reference, kind)
}

async function ofRegistry(id: string, version: string | undefined, kind: Kind, context: PackagingContext) {
  const reference = await findInRegistryIndex(id, version, context)
  context.report.line(`${id} is ${reference}`)
  return imageModules(await context.image(`docker://${reference}`), id, kind)
}

async function download(url: string, context: PackagingContext): Promise<string> {
  const file = join(await context.scratch(), hexOf(digestOf(url)))
  if (await exists(file)) return file
  const { access } = await context.sources()
  const signal = context.options.signal ?? new AbortController().signal
  await downloadFile(url, file, { http: access, report: context.report, signal })
  return file
}

/** True if the store has an image of this name, which is then meant. */
async function isHere(text: string, { store }: PackagingContext): Promise<boolean> {
  return !text.includes('@') && (await store.resolve(text)) !== undefined
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG')) return false
    throw error
  }
}
