import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type LifecycleDescriptor, parseLifecycleDescriptor } from '#cnb'
import { NORMAL_TIME } from '#lifecycle'
import { digestOf, hexOf, isGzip, isSystemError, Problem, readAll, readTar, type TarEntry } from '#std'
import { lifecycleFiles } from '../builder/lifecycle-files.ts'
import { downloadFile } from '../buildpacks/download-file.ts'
import { plainBytes } from './blob.ts'
import type { BuilderBase } from './builder-base.ts'
import type { PackagingContext } from './context.ts'
import { lifecycleInvalid } from './problems.ts'

/** A lifecycle for a builder. */
export interface BuilderLifecycle {
  readonly descriptor: LifecycleDescriptor
  /** What makes a builder with it an image that `pack` can take the phases from (`--lifecycle-image`): slipway's own is published in no other. */
  readonly labels?: Readonly<Record<string, string>>
  /** Its files, by name; all go to /cnb/lifecycle. */
  entries(): AsyncIterable<TarEntry>
}

const REQUIRED = ['analyzer', 'builder', 'creator', 'detector', 'exporter', 'launcher', 'restorer']

/**
 * The lifecycle of a builder: an archive at a path or an address, a release of the reference lifecycle, or slipway's own where none is named.
 * Throws a `Problem` (`LIFECYCLE_INVALID`, …).
 */
export async function chooseLifecycle(
  { version, uri }: { readonly version?: string; readonly uri?: string },
  directory: string,
  { image }: BuilderBase,
  context: PackagingContext,
): Promise<BuilderLifecycle> {
  const { architecture } = image.config
  if (version !== undefined)
    return archived(await download(releaseOf(version, architecture), context), version)
  if (uri !== undefined) {
    const file = /^https?:/i.test(uri) ? await download(uri, context) : resolve(directory, pathOf(uri))
    return archived(file, uri)
  }
  if (architecture !== 'amd64' && architecture !== 'arm64')
    throw lifecycleInvalid("of slipway's own", `there is none for ${architecture}`)
  const { home, environment, signal } = context.options
  const { files, descriptor } = await lifecycleFiles({
    arch: architecture,
    home,
    environment,
    sources: await context.sources(),
    report: context.report,
    signal,
  })
  return {
    descriptor,
    labels: {
      'io.buildpacks.lifecycle.version': descriptor.version,
      'io.buildpacks.lifecycle.apis': JSON.stringify(descriptor.apis),
    },
    async *entries() {
      for (const { name, mode, path } of files) {
        const { size } = await stat(path)
        yield fileEntry(name, mode, size, () => createReadStream(path))
      }
    },
  }
}

/** Where the reference lifecycle is released. */
function releaseOf(version: string, architecture: string): string {
  const plain = version.replace(/^v/, '')
  if (!/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?$/.test(plain))
    throw lifecycleInvalid(version, 'it is not a version such as 0.20.4')
  const arch = architecture === 'amd64' ? 'x86-64' : architecture
  return `https://github.com/buildpacks/lifecycle/releases/download/v${plain}/lifecycle-v${plain}+linux.${arch}.tgz`
}

function pathOf(uri: string): string {
  return uri.startsWith('file:') ? decodeURIComponent(new URL(uri).pathname) : uri
}

async function download(url: string, context: PackagingContext): Promise<string> {
  const file = join(await context.scratch(), hexOf(digestOf(url)))
  const { access } = await context.sources()
  const signal = context.options.signal ?? new AbortController().signal
  await downloadFile(url, file, { http: access, report: context.report, signal })
  return file
}

/** An archive with lifecycle.toml at its top and, in one directory, the programs. */
async function archived(file: string, place: string): Promise<BuilderLifecycle> {
  try {
    const packed = await isGzip(file)
    const names = new Set<string>()
    let descriptor: LifecycleDescriptor | undefined
    for await (const { name, size, content } of readTar(plainBytes(file, packed))) {
      const parts = partsOf(name)
      if (parts.length === 2) names.add(parts[1] as string)
      if (parts.length !== 1 || parts[0] !== 'lifecycle.toml' || size > 1 << 20) continue
      descriptor = parseLifecycleDescriptor((await readAll(content)).toString(), `lifecycle.toml of ${place}`)
    }
    if (!descriptor) throw lifecycleInvalid(place, 'it has no lifecycle.toml')
    const missing = REQUIRED.filter(name => !names.has(name))
    if (missing.length > 0) throw lifecycleInvalid(place, `it has no ${missing.join(', ')}`)
    return { descriptor, entries: () => archivedEntries(file, packed, place) }
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'))
      throw lifecycleInvalid(place, error.message)
    if (isSystemError(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR'))
      throw lifecycleInvalid(place, 'its gzip stream is damaged')
    if (error instanceof Problem && error.code === 'TAR_MALFORMED') throw lifecycleInvalid(place, error.why)
    throw error
  }
}

async function* archivedEntries(file: string, packed: boolean, place: string): AsyncGenerator<TarEntry> {
  for await (const { name, type, mode, size, linkname, content } of readTar(plainBytes(file, packed))) {
    const [, program, ...more] = partsOf(name)
    if (program === undefined || more.length > 0) continue
    if (type === 'file') yield fileEntry(program, mode & 0o777, size, () => content)
    else if (type === 'symlink' && linkname && !linkname.includes('/'))
      yield { ...fileEntry(program, 0o777, 0), type, linkname }
    else if (type === 'link' && linkname)
      yield {
        ...fileEntry(program, mode & 0o777, 0),
        type,
        linkname: `/cnb/lifecycle/${partsOf(linkname).at(-1)}`,
      }
    else throw lifecycleInvalid(place, `${JSON.stringify(program)} in it is a ${type}`)
  }
}

function fileEntry(name: string, mode: number, size: number, content?: TarEntry['content']): TarEntry {
  return {
    name: `/cnb/lifecycle/${name}`,
    type: 'file',
    mode,
    uid: 0,
    gid: 0,
    mtime: NORMAL_TIME,
    size,
    ...(content && { content }),
  }
}

function partsOf(name: Buffer): string[] {
  const parts = name
    .toString()
    .split('/')
    .filter(part => part !== '' && part !== '.')
  return parts.includes('..') ? [] : parts
}
