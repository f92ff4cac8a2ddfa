import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Digesting, isDigest, isSystemError, Problem, readIfExists, removeTree, streamToNewFile } from '#std'
import type { Cache, CacheMetadata, CacheWriting } from './cache.ts'
import { CACHE_METADATA, parseCacheMetadata, printCacheMetadata } from './cache-metadata.ts'
import type { Place } from './executor.ts'
import { cacheMissing } from './export-problems.ts'
import { digestOfTar } from './keep-layer.ts'
import { type LayerRules, layerTar } from './layer-tar.ts'
import { packTree } from './pack-directory.ts'
import { restoreTar } from './restore-tar.ts'

/** How the layers of a cache are packed. */
export interface CacheRules extends LayerRules {
  /** The layers directory. */
  readonly layers: Place
}

/**
 * The cache of the reference lifecycle in a directory (a volume): `committed/` with an uncompressed tar for each layer and a metadata file,
 * replaced as a whole by `staging/`. A layer whose bytes are not those of its name counts as missing. Throws a `Problem` (`CACHE_MISSING`)
 * if there is no such directory; it is never made, since it would be lost with the container that it was meant to outlive.
 */
export async function openVolumeCache(directory: string, rules: CacheRules): Promise<Cache> {
  const found = await stat(directory).catch(() => undefined)
  if (!found?.isDirectory()) throw cacheMissing(directory)
  return new VolumeCache(directory, rules)
}

class VolumeCache implements Cache {
  readonly name: string
  readonly #directory: string
  readonly #rules: CacheRules

  constructor(directory: string, rules: CacheRules) {
    this.name = directory
    this.#directory = directory
    this.#rules = rules
  }

  async metadata(): Promise<CacheMetadata | undefined> {
    const path = join(await this.#committed(), CACHE_METADATA)
    const text = await readIfExists(path)
    if (text === undefined) return undefined
    try {
      return parseCacheMetadata(text, path)
    } catch (error) {
      if (error instanceof Problem) return undefined
      throw error
    }
  }

  async restoreLayer(diffId: string, target: string, inside: string): Promise<boolean> {
    if (!isDigest(diffId)) return false
    const file = join(await this.#committed(), `${diffId}.tar`)
    return restoreTar(() => createReadStream(file, { highWaterMark: 1 << 20 }), diffId, {
      host: target,
      inside,
    })
  }

  async begin(): Promise<CacheWriting> {
    await this.#recover()
    const staging = join(this.#directory, 'staging')
    await removeTree(staging)
    await mkdir(staging)
    return new VolumeWriting(this.#directory, this.#rules)
  }

  /** A commit that was cut off between its two renames left the generation before as a backup. */
  async #committed(): Promise<string> {
    const committed = join(this.#directory, 'committed')
    const found = await stat(committed).catch(() => undefined)
    return found ? committed : join(this.#directory, 'committed-backup')
  }

  async #recover(): Promise<void> {
    const current = await this.#committed()
    const committed = join(this.#directory, 'committed')
    const backup = join(this.#directory, 'committed-backup')
    if (current === committed) await removeTree(backup)
    else
      await rename(backup, committed).catch(error => {
        if (isSystemError(error, 'ENOENT')) return mkdir(committed)
        throw error
      })
  }
}

class VolumeWriting implements CacheWriting {
  readonly #directory: string
  readonly #staging: string
  readonly #committed: string
  readonly #rules: CacheRules

  constructor(directory: string, rules: CacheRules) {
    this.#directory = directory
    this.#staging = join(directory, 'staging')
    this.#committed = join(directory, 'committed')
    this.#rules = rules
  }

  async reuse(diffId: string): Promise<boolean> {
    if (!isDigest(diffId)) return false
    const file = join(this.#committed, `${diffId}.tar`)
    try {
      if ((await digestOfTar(createReadStream(file, { highWaterMark: 1 << 20 }))) !== diffId) return false
      await link(file, join(this.#staging, `${diffId}.tar`))
      return true
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return true
      if (isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'EIO')) return false
      throw error
    }
  }

  async addLayer(directory: string, inside: string): Promise<string> {
    const layer = await packTree({ host: directory, inside }, this.#rules.layers, this.#rules)
    const unnamed = join(this.#staging, `.${randomBytes(8).toString('hex')}`)
    const digesting = new Digesting()
    await pipeline(layerTar(layer), digesting, await streamToNewFile(unnamed))
    await rename(unnamed, join(this.#staging, `${digesting.digest()}.tar`))
    return digesting.digest()
  }

  async commit(metadata: CacheMetadata): Promise<void> {
    await writeFile(join(this.#staging, CACHE_METADATA), printCacheMetadata(metadata))
    const backup = join(this.#directory, 'committed-backup')
    await rename(this.#committed, backup)
    try {
      await rename(this.#staging, this.#committed)
    } catch (error) {
      await rename(backup, this.#committed)
      throw error
    }
    await removeTree(backup)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeTree(this.#staging)
  }
}
