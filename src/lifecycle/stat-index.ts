import { createHash, randomBytes } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, digestOf, hexOf, isDigest, keepNewest, openDisposable, readIfExists } from '#std'
import { type DirectoryLayer, modeOf } from './layer-tar.ts'

/** What a layer's bytes are made from, without reading them: equal fingerprints stand for equal tars. */
export interface Fingerprint {
  readonly digest: Digest
  /** The newest change of a file that went into it, in nanoseconds; files that changed when it was taken may still change unnoticed. */
  readonly settled: bigint
}

/** How long a file's time may stand still while its content changes: two ticks of the slowest kernel clock (100 Hz). */
const TICK = 20_000_000n
/** The same where the file system keeps whole seconds only. */
const COARSE_TICK = 2_000_000_000n

const known = new WeakMap<DirectoryLayer, Fingerprint>()

/** Names, kinds, modes, sizes, times and inodes of all entries, and the parameters of the tar. */
export function fingerprintOf(layer: DirectoryLayer): Fingerprint {
  const found = known.get(layer) ?? takeFingerprint(layer)
  known.set(layer, found)
  return found
}

/** Characters that are hashed at a time. */
const PIECE = 1 << 16

function takeFingerprint(layer: DirectoryLayer): Fingerprint {
  const hash = createHash('sha256')
  let settled = 0n
  let piece = ''
  const field = (text: string) => {
    piece += `${text}\0`
    if (piece.length < PIECE) return
    hash.update(piece, 'latin1')
    piece = ''
  }
  hash.update(`slipway layer 1\0${layer.place.inside}\0${layer.owner.uid}\0${layer.owner.gid}\0`)
  for (const { name, mode, uid, gid } of layer.parents)
    field(`parent ${mode} ${uid} ${gid} ${name.toString()}`)
  for (const entry of layer.entries) {
    // Directories count by name and mode alone: what is in them has entries of its own.
    const content =
      entry.type === 'file'
        ? `${entry.size} ${entry.mtimeNs} ${entry.ctimeNs} ${entry.inode}`
        : (entry.linkname ?? '')
    field(`${entry.type} ${modeOf(layer, entry)} ${entry.path}`)
    field(content)
    if (entry.type !== 'file') continue
    const until = entry.ctimeNs + (entry.ctimeNs % 1_000_000_000n === 0n ? COARSE_TICK : TICK)
    if (until > settled) settled = until
  }
  hash.update(piece, 'latin1')
  return { digest: `sha256:${hash.digest('hex')}` as Digest, settled }
}

/**
 * Remembers which diffID the layer of a fingerprint had, so that directories that did not change are not read again, as git's index does it for files.
 * One small file each; a damaged one counts as missing. Safe for many processes at once.
 */
export class StatIndex {
  readonly #directory: string
  readonly #limit: number

  /** `directory` must be out of reach of what a build runs. The oldest half goes when there are more entries than `limit`. */
  constructor(directory: string, limit = 4096) {
    this.#directory = directory
    this.#limit = limit
  }

  /** The diffID of the layer with this fingerprint, found out by `read` if it is not known yet. */
  async diffId(fingerprint: Fingerprint, read: () => Promise<Digest>): Promise<Digest> {
    const known = await this.#lookup(fingerprint.digest)
    if (known) return known
    await mkdir(this.#directory, { recursive: true })
    const staged = join(this.#directory, `.${randomBytes(8).toString('hex')}.tmp`)
    try {
      await using file = await openDisposable(staged, 'wx', 0o600)
      // The file's own time says, by the clock that the files of the layer have theirs from, when reading began.
      const began = (await file.handle.stat({ bigint: true })).mtimeNs
      const diffId = await read()
      if (fingerprint.settled >= began) return diffId
      await file.handle.writeFile(line(fingerprint.digest, diffId))
      await rename(staged, this.#path(fingerprint.digest))
      await keepNewest(this.#directory, this.#limit)
      return diffId
    } finally {
      await rm(staged, { force: true })
    }
  }

  /** Forgets an entry that turned out wrong. */
  async forget({ digest }: Fingerprint): Promise<void> {
    await rm(this.#path(digest), { force: true })
  }

  async #lookup(fingerprint: Digest): Promise<Digest | undefined> {
    const text = await readIfExists(this.#path(fingerprint))
    const diffId = text?.slice(0, text.indexOf(' ')) ?? ''
    if (!isDigest(diffId) || text !== line(fingerprint, diffId)) return undefined
    return diffId
  }

  #path(fingerprint: Digest): string {
    return join(this.#directory, hexOf(fingerprint))
  }
}

/** The line of an entry; the second digest tells whether it is whole and belongs to this fingerprint. */
function line(fingerprint: Digest, diffId: Digest): string {
  return `${diffId} ${digestOf(`${fingerprint} ${diffId}`)}\n`
}
