import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import {
  check,
  type Digest,
  isDigest,
  lockFile,
  Problem,
  parseJson,
  type Report,
  readIfExists,
  removeTree,
  tryLockFile,
  writeDurably,
} from '#std'
import type { Cache, CacheMetadata, CacheWriting } from './cache.ts'
import { parseCacheMetadata, printCacheMetadata } from './cache-metadata.ts'
import { diffIdOf } from './keep-layer.ts'
import type { DirectoryLayer } from './layer-tar.ts'
import { copyTree, moveTree } from './move-tree.ts'
import { packTree } from './pack-directory.ts'
import { fingerprintOf, type StatIndex } from './stat-index.ts'
import { isDirectoryItself } from './untrusted.ts'
import type { CacheRules } from './volume-cache.ts'

/** How a directory cache is opened. */
export interface DirectoryCacheOptions extends CacheRules {
  /** Saves reading layers that did not change, if it is that of the export. */
  readonly stats?: StatIndex
  /** Forget what it holds, once nobody else uses it. */
  readonly clear?: boolean
  readonly report: Report
  readonly signal?: AbortSignal
}

/** A cache that keeps layers as directories. It is locked while open; disposal takes back what it lent. */
export interface DirectoryCache extends Cache, AsyncDisposable {}

/** A layer of the cache. */
interface Kept {
  /** The diffID, or for large layers that are in no image the fingerprint that they were put there with. */
  readonly diffId: Digest
  /** Its directory's name in `layers/`. */
  readonly directory: string
  /** The path that its tar names it by. */
  readonly inside: string
  /** What `lstat` said of its entries when it was put there. */
  readonly fingerprint: Digest
  readonly bytes: number
}

const digest = v.custom<Digest>(value => typeof value === 'string' && isDigest(value), 'must be a digest')
const currentSchema = v.object({
  format: v.literal(1),
  metadata: v.string(),
  layers: v.array(
    v.object({
      diffId: digest,
      directory: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
      inside: v.string(),
      fingerprint: digest,
      bytes: v.number(),
    }),
  ),
})

/** Layers up to this size are copied out, so that a failed build loses nothing of them. */
const SMALL = 4 << 20

/**
 * A cache for builds whose layers directory is on this machine: layers stay directories and are moved (renamed) between cache and layers, so that a
 * large one is neither packed nor copied. `current.json` says which directories count; a directory that it does not name, or whose entries are not
 * those that it was put there with, is thrown away. So a process that is killed at any step leaves, at worst, a layer missing. Waits, and says so,
 * while another process has the cache open.
 */
export async function openDirectoryCache(
  directory: string,
  options: DirectoryCacheOptions,
): Promise<DirectoryCache> {
  await mkdir(join(directory, 'layers'), { recursive: true })
  const lock = join(directory, 'lock')
  let held = await tryLockFile(lock)
  if (!held) {
    options.report.line('Waiting for another build of this image to end ...')
    held = await lockFile(lock, options.signal)
  }
  try {
    const ground = new Ground(directory, options)
    if (options.clear) await rm(join(directory, 'current.json'), { force: true })
    const current = await ground.read()
    await ground.sweep(current.layers)
    return new OpenDirectoryCache(ground, current, held)
  } catch (error) {
    await held[Symbol.asyncDispose]()
    throw error
  }
}

interface Current {
  readonly metadata: CacheMetadata | undefined
  readonly layers: readonly Kept[]
}

/** The cache's directory and what is known about packing. */
class Ground {
  readonly directory: string
  readonly options: DirectoryCacheOptions

  constructor(directory: string, options: DirectoryCacheOptions) {
    this.directory = directory
    this.options = options
  }

  at(name: string): string {
    return join(this.directory, 'layers', name)
  }

  async read(): Promise<Current> {
    const path = join(this.directory, 'current.json')
    const text = await readIfExists(path)
    if (text === undefined) return { metadata: undefined, layers: [] }
    try {
      const { metadata, layers } = check(currentSchema, parseJson(text, path), path)
      return { metadata: parseCacheMetadata(metadata, path), layers }
    } catch (error) {
      if (error instanceof Problem) return { metadata: undefined, layers: [] }
      throw error
    }
  }

  /** To wait for the disk takes longer than to read what is there: it stays where nothing changed. */
  async write(metadata: CacheMetadata, layers: readonly Kept[]): Promise<void> {
    const path = join(this.directory, 'current.json')
    const text = `${JSON.stringify({ format: 1, metadata: printCacheMetadata(metadata), layers })}\n`
    if ((await readIfExists(path)) !== text) await writeDurably(path, text, 0o600)
  }

  async sweep(layers: readonly Kept[]): Promise<void> {
    const named = new Set(layers.map(({ directory }) => directory))
    const names = await readdir(join(this.directory, 'layers'))
    for (const name of names) if (!named.has(name)) await removeTree(this.at(name))
  }

  /** A directory somewhere on this machine, as the layer that it is in the image. */
  pack(host: string, inside: string) {
    return packTree({ host, inside }, this.options.layers, this.options)
  }

  /** True if a directory has just the entries that the layer was put into the cache with. */
  async isUnchanged(host: string, { inside, fingerprint }: Kept): Promise<boolean> {
    if (!(await isDirectoryItself(host))) return false
    return fingerprintOf(await this.pack(host, inside)).digest === fingerprint
  }
}

class OpenDirectoryCache implements DirectoryCache {
  readonly name: string
  readonly #ground: Ground
  readonly #lock: AsyncDisposable
  #current: Current
  /** Layers that were moved out, and where they are. */
  readonly #lent = new Map<Digest, { readonly kept: Kept; readonly target: string }>()

  constructor(ground: Ground, current: Current, lock: AsyncDisposable) {
    this.name = ground.directory
    this.#ground = ground
    this.#current = current
    this.#lock = lock
  }

  /** What the cache holds; layers that have gone missing are not named. */
  async metadata(): Promise<CacheMetadata | undefined> {
    const { metadata } = this.#current
    if (!metadata) return undefined
    const there = new Set<string>(this.#lent.keys())
    for (const { diffId, directory } of this.#current.layers)
      if (await isDirectoryItself(this.#ground.at(directory))) there.add(diffId)
    return onlyThere(metadata, there)
  }

  async restoreLayer(diffId: string, target: string, inside: string): Promise<boolean> {
    await removeTree(target)
    const kept = this.#current.layers.find(layer => layer.diffId === diffId && layer.inside === inside)
    if (!kept || this.#lent.has(kept.diffId)) return false
    const from = this.#ground.at(kept.directory)
    if (!(await this.#ground.isUnchanged(from, kept))) return false
    if (kept.bytes <= SMALL) {
      await mkdir(join(target, '..'), { recursive: true })
      await copyTree(from, target)
      return true
    }
    await moveTree(from, target)
    this.#lent.set(kept.diffId, { kept, target })
    return true
  }

  async begin(): Promise<CacheWriting> {
    return new DirectoryWriting(this.#ground, {
      find: diffId => this.#current.layers.find(layer => layer.diffId === diffId),
      takeBack: (kept, found) => this.#takeBack(kept.diffId, found),
      committed: current => {
        this.#current = current
        this.#lent.clear()
      },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const diffId of [...this.#lent.keys()]) await this.#takeBack(diffId)
    } finally {
      await this.#lock[Symbol.asyncDispose]()
    }
  }

  /** Moves a layer that was lent back to its place, unless it has changed. */
  async #takeBack(diffId: Digest, found?: DirectoryLayer): Promise<boolean | undefined> {
    const lent = this.#lent.get(diffId)
    if (!lent) return undefined
    this.#lent.delete(diffId)
    const unchanged =
      found?.place.host === lent.target
        ? fingerprintOf(found).digest === lent.kept.fingerprint
        : await this.#ground.isUnchanged(lent.target, lent.kept)
    if (!unchanged) return false
    const moved = await moveTree(lent.target, this.#ground.at(lent.kept.directory))
    // Copies are other files than those that were put here.
    return moved === 'renamed'
  }
}

/** What a new generation needs of the one before. */
interface Before {
  find(diffId: string): Kept | undefined
  /** Takes a layer back that was lent: false if it has changed. Undefined if it was not lent. */
  takeBack(kept: Kept, found?: DirectoryLayer): Promise<boolean | undefined>
  committed(current: Current): void
}

class DirectoryWriting implements CacheWriting {
  readonly #ground: Ground
  readonly #before: Before
  readonly #layers: Kept[] = []
  #committed = false

  constructor(ground: Ground, before: Before) {
    this.#ground = ground
    this.#before = before
  }

  async reuse(diffId: string, found?: DirectoryLayer): Promise<boolean> {
    const kept = this.#before.find(diffId)
    if (!kept) return false
    const taken = await this.#before.takeBack(kept, found)
    const unchanged = taken ?? (await this.#ground.isUnchanged(this.#ground.at(kept.directory), kept))
    if (!unchanged) return false
    this.#layers.push(kept)
    return true
  }

  nameUnread(layer: DirectoryLayer): Digest | undefined {
    // Smaller ones are copied when they are lent, and then their files are other ones.
    return bytesOf(layer) > SMALL ? fingerprintOf(layer).digest : undefined
  }

  /** Takes the directory itself: it is gone from where it was. */
  async addLayer(
    directory: string,
    inside: string,
    unread?: Digest,
    found?: DirectoryLayer,
  ): Promise<string> {
    const layer = found ?? (await this.#ground.pack(directory, inside))
    const diffId = unread ?? (await diffIdOf(layer, this.#ground.options.stats))
    const name = randomBytes(16).toString('hex')
    const how = await moveTree(directory, this.#ground.at(name))
    // Taken again where it is now: on another file system the files are other ones.
    const moved = how === 'renamed' ? layer : await this.#ground.pack(this.#ground.at(name), inside)
    const fingerprint = fingerprintOf(moved).digest
    this.#layers.push({ diffId, directory: name, inside, fingerprint, bytes: bytesOf(layer) })
    return diffId
  }

  async commit(metadata: CacheMetadata): Promise<void> {
    await this.#ground.write(metadata, this.#layers)
    this.#committed = true
    this.#before.committed({ metadata, layers: this.#layers })
    await this.#ground.sweep(this.#layers)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#committed) return
    const before = new Set<string>()
    for (const { diffId, directory } of this.#layers)
      if (this.#before.find(diffId)?.directory === directory) before.add(directory)
    for (const { directory } of this.#layers)
      if (!before.has(directory)) await removeTree(this.#ground.at(directory))
  }
}

function bytesOf({ entries }: DirectoryLayer): number {
  return entries.reduce((sum, { size }) => sum + size, 0)
}

function onlyThere({ sbom, buildpacks }: CacheMetadata, there: ReadonlySet<string>): CacheMetadata {
  return {
    ...(sbom && there.has(sbom.sha) && { sbom }),
    buildpacks: buildpacks.map(each => ({
      ...each,
      layers: new Map([...each.layers].filter(([, { sha }]) => there.has(sha))),
    })),
  }
}
