import { type Digest, Problem } from '#std'
import type { Descriptor } from '../../descriptor.ts'
import type { Layer } from '../../image.ts'
import type { Repository } from '../../reference.ts'
import { type BlobSource, hasBlob } from './blobs.ts'
import { Uploads, type Wait } from './upload.ts'

/** Which blobs are in which repository, as far as it is known, and the ways to bring others there: none where it is there already, a mount, an upload. */
export class Presence {
  readonly #source: (repository: Repository) => BlobSource
  readonly #wait: Wait
  readonly #known = new Map<string, Set<Digest>>()

  constructor(source: (repository: Repository) => BlobSource, wait: Wait) {
    this.#source = source
    this.#wait = wait
  }

  /** Sees to it that a repository has these bytes. */
  async putBytes(blob: Descriptor, bytes: Buffer, repository: Repository): Promise<void> {
    if (this.knownIn(repository).has(blob.digest)) return
    const { digest, size } = blob
    const open = async function* () {
      yield bytes
    }
    await this.uploads(repository).put({ open, known: { digest, size }, digest: () => digest })
    this.knownIn(repository).add(digest)
  }

  /** Sees to it that a repository has a layer. */
  async ensure(layer: Layer, repository: Repository): Promise<void> {
    if (await this.bring(layer, repository)) return
    const { digest, size } = layer.blob
    const open = async function* () {
      yield* (await layer.compressed()) as AsyncIterable<Uint8Array>
    }
    await this.uploads(repository).put({ open, known: { digest, size }, digest: () => digest })
    this.knownIn(repository).add(digest)
  }

  /** True if the blob is in the repository, or could be brought there without being sent. `doubted` where its origin is only a memory. */
  async bring(layer: Layer, repository: Repository, doubted = false): Promise<boolean> {
    const { blob, origin } = layer
    const known = this.knownIn(repository)
    if (known.has(blob.digest)) return true
    const near = origin?.registry === repository.registry ? origin : undefined
    if (near?.repository === repository.repository && !doubted) {
      known.add(blob.digest)
      return true
    }
    const from =
      near && near.repository !== repository.repository
        ? near.repository
        : this.#elsewhere(blob.digest, repository)
    // A mount answers both questions at once; a registry that has the blob there says 201 too.
    if (from !== undefined && (await this.#mount(blob.digest, from, repository))) {
      known.add(blob.digest)
      return true
    }
    return await this.has(repository, blob)
  }

  async #mount(digest: Digest, from: string, repository: Repository): Promise<boolean> {
    try {
      return await this.uploads(repository).mount(digest, from)
    } catch (error) {
      // Whoever may not read there may still have the bytes.
      if (error instanceof Problem && /^REGISTRY_(?:UNAUTHORIZED|DENIED|REFUSED)$/.test(error.code))
        return false
      throw error
    }
  }

  #elsewhere(digest: Digest, { registry, repository }: Repository): string | undefined {
    for (const [key, digests] of this.#known) {
      const [host = '', ...rest] = key.split('/')
      if (host === registry && rest.join('/') !== repository && digests.has(digest)) return rest.join('/')
    }
    return undefined
  }

  /** True if the repository has the blob; asked where it is not known. */
  async has(repository: Repository, blob: Descriptor): Promise<boolean> {
    const known = this.knownIn(repository)
    if (known.has(blob.digest)) return true
    const there = await hasBlob(this.#source(repository), blob)
    if (there) known.add(blob.digest)
    return there
  }

  /** What is put into a repository. */
  uploads(repository: Repository): Uploads {
    return new Uploads(this.#source(repository), this.#wait)
  }

  /** Forgets what was known of a repository: it was not so. */
  forget(repository: Repository): void {
    this.knownIn(repository).clear()
  }

  /** The blobs that are known to be in a repository; more may be added. */
  knownIn({ registry, repository }: Repository): Set<Digest> {
    const key = `${registry}/${repository}`
    const known = this.#known.get(key) ?? new Set()
    this.#known.set(key, known)
    return known
  }
}
