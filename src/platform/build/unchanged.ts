import { existsSync } from 'node:fs'
import { lstat, opendir, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import {
  type Digest,
  digestOf,
  hexOf,
  isDigest,
  parseJson,
  printJson,
  readIfExists,
  writeDurably,
} from '#std'
import { VERSION } from '../version.ts'
import { APP_LOCK } from './app-lock.ts'
import type { BuildBases } from './bases.ts'
import type { BuildRequest } from './request.ts'
import type { BuildTarget, BuiltImage } from './target.ts'

/** Everything that an image of slipway's own buildpacks follows from. */
export interface BuildInputs {
  readonly request: BuildRequest
  readonly ignored: (path: Buffer, directory: boolean) => boolean
  readonly variables: Readonly<Record<string, string>>
  /** Text of the project descriptor, as it was understood. */
  readonly project: unknown
  readonly bases: BuildBases
  /** The directory with the build's copies of bindings. */
  readonly bindings: string
  /** Seconds since 1970. */
  readonly created: number
  /** The directory of slipway's buildpacks. */
  readonly buildpacks: string
}

/** The inputs of a build but for the lock, named; `settled` is false where a file changed so lately that it could change again without showing it. */
export interface NamedInputs {
  readonly digest: Digest
  readonly settled: boolean
}

/** True if an earlier build of this image may be remembered; a build of foreign buildpacks never is. */
export function mayBeUnchanged(
  { home, clearCache, sbomDirectory }: BuildRequest,
  { key }: BuildTarget,
): boolean {
  return !clearCache && sbomDirectory === undefined && key !== undefined && existsSync(recordPlace(home, key))
}

/** Times of files are trusted when they are older than this, in nanoseconds: some file systems keep whole seconds only. */
const SETTLED = 2_000_000_000n

/**
 * Names the inputs of a build by what `lstat` says of each file, as git does: names, kinds, sizes, times, inode numbers. Nothing is read but
 * links and bindings. `began` is when the build began, in nanoseconds by the file system's clock.
 */
export async function nameInputs(inputs: BuildInputs, began: bigint): Promise<NamedInputs> {
  const { request, bases, variables, project, created, buildpacks } = inputs
  const { execEnv, launcher, defaultProcess, network, path } = request
  const source = new Listing(inputs.ignored)
  await source.add(Buffer.from(path), Buffer.alloc(0))
  const own = new Listing(() => false)
  await own.add(Buffer.from(buildpacks), Buffer.alloc(0))
  const said = {
    version: VERSION,
    ...{ execEnv, launcher, defaultProcess: defaultProcess ?? '', network, variables, project, created },
    run: [bases.run.name, ...bases.run.mirrors, bases.run.image.digest],
    build: bases.build.directory,
    files: [source, own].map(listing => listing.digest()),
    bindings: await contentsOf(inputs.bindings),
  }
  return { digest: digestOf(printJson(said)), settled: source.newest + SETTLED < began }
}

/** Every entry of every binding, by digest: they are few, small, and often links whose targets change. */
async function contentsOf(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const binding of await readdir(directory))
    for (const entry of await readdir(join(directory, binding)))
      found[`${binding}/${entry}`] = digestOf(await readFile(join(directory, binding, entry)))
  return found
}

/** What `lstat` says of the files of a directory. */
class Listing {
  readonly #ignored: (path: Buffer, directory: boolean) => boolean
  readonly #lines: string[] = []
  newest = 0n

  constructor(ignored: (path: Buffer, directory: boolean) => boolean) {
    this.#ignored = ignored
  }

  async add(root: Buffer, path: Buffer): Promise<void> {
    const names: Buffer[] = []
    const place = path.byteLength === 0 ? root : Buffer.concat([root, SLASH, path])
    const entries = await opendir(place as unknown as string, { encoding: 'buffer' as BufferEncoding })
    for await (const entry of entries) names.push(entry.name as unknown as Buffer)
    for (const name of names.sort(Buffer.compare)) {
      const inner = path.byteLength === 0 ? name : Buffer.concat([path, SLASH, name])
      const at = Buffer.concat([root, SLASH, inner])
      const found = await lstat(at, { bigint: true })
      if (this.#ignored(inner, found.isDirectory())) continue
      if (found.ctimeNs > this.newest) this.newest = found.ctimeNs
      const { mode, size, ino, mtimeNs, ctimeNs } = found
      const link = found.isSymbolicLink() ? (await readlink(at, { encoding: 'buffer' })).toString('hex') : ''
      this.#lines.push([inner.toString('hex'), mode, size, ino, mtimeNs, ctimeNs, link].join(' '))
      if (found.isDirectory()) await this.add(root, inner)
    }
  }

  digest(): Digest {
    return digestOf(this.#lines.join('\n'))
  }
}

const SLASH = Buffer.from('/')

const recordSchema = v.object({
  inputs: v.string(),
  image: v.custom<Digest>(value => typeof value === 'string' && isDigest(value)),
})

function recordPlace(home: string, key: string): string {
  return join(home, 'exports/unchanged', `${hexOf(digestOf(key)).slice(0, 32)}.json`)
}

/** The image of this name, if it is still the one that these very inputs were made into. What cannot be read counts as nothing. */
export async function unchangedImage(
  request: BuildRequest,
  target: BuildTarget,
  inputs: NamedInputs,
): Promise<BuiltImage | undefined> {
  if (target.key === undefined) return undefined
  const path = recordPlace(request.home, target.key)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const record = v.safeParse(recordSchema, parsed(text, path))
  if (!record.success || record.output.inputs !== (await withLock(request, inputs))) return undefined
  const image = await target.current()
  return image?.digest === record.output.image ? image : undefined
}

function parsed(text: string, path: string): unknown {
  try {
    return parseJson(text, path)
  } catch {
    return undefined
  }
}

/** Remembers which image these inputs were made into, with the lock that stands beside the app now. Without one the next build may choose otherwise. */
export async function rememberInputs(
  request: BuildRequest,
  { key }: BuildTarget,
  inputs: NamedInputs,
  image: BuiltImage,
): Promise<void> {
  const digest = await withLock(request, inputs)
  if (!inputs.settled || digest === undefined || key === undefined) return
  await writeDurably(recordPlace(request.home, key), printJson({ inputs: digest, image: image.digest }))
}

async function withLock({ path }: BuildRequest, { digest }: NamedInputs): Promise<Digest | undefined> {
  const lock = await readIfExists(join(path, APP_LOCK))
  return lock === undefined ? undefined : digestOf(`${digest}\n${lock}`)
}
