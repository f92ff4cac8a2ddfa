import { type BigIntStats, lstatSync } from 'node:fs'

/** Times of files are trusted when they are older than this, in nanoseconds: some file systems keep whole seconds only. */
const SETTLED = 2_000_000_000n
/** How long a file's time may stand still while its content changes: two ticks of the slowest kernel clock (100 Hz). */
const TICK = 20_000_000n

/** A file of a source and its copy, as `lstat` sees both. */
export interface SourceMark {
  readonly source: string
  readonly copy: string
}

/** What `lstat` says of a file, but for its name: as long as it stays, so does the content (git's index relies on the same). */
export function identityOf({ dev, ino, mode, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${mode} ${size} ${mtimeNs} ${ctimeNs}`
}

/** Which files of a directory are copies of which files of a source. Paths are bytes, as latin1. */
export class SourceMarks {
  readonly #before: ReadonlyMap<string, SourceMark>
  readonly #marks = new Map<string, SourceMark>()
  readonly #began: bigint

  /** `began` is when this copy began, in nanoseconds by the file system's clock; `before` what the copy before left. */
  constructor(began: bigint, before: ReadonlyMap<string, SourceMark> = new Map()) {
    this.#began = began
    this.#before = before
  }

  /** True if a copy is there that is still the one of this very source file; it is then remembered further. */
  isUnchanged(path: Buffer, source: BigIntStats, target: Buffer): boolean {
    const key = path.toString('latin1')
    const mark = this.#before.get(key)
    if (mark?.source !== identityOf(source) || mark.copy !== identityThere(target)) return false
    this.#marks.set(key, mark)
    return true
  }

  /** Remembers a fresh copy, unless its source changed so lately that it could change again without showing it. */
  add(path: Buffer, source: BigIntStats, target: Buffer): void {
    if (source.ctimeNs + SETTLED > this.#began) return
    const copy = identityThere(target)
    if (copy) this.#marks.set(path.toString('latin1'), { source: identityOf(source), copy })
  }

  /** The copies in `directory` that nobody has touched since `time`, by the file system's clock, when programs began to run that might. */
  untouched(directory: string, time: bigint): Map<string, SourceMark> {
    const found = new Map<string, SourceMark>()
    for (const [path, mark] of this.#marks) {
      const target = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')])
      const stats = lstatSync(target, { bigint: true, throwIfNoEntry: false })
      if (stats && identityOf(stats) === mark.copy && stats.ctimeNs + TICK < time) found.set(path, mark)
    }
    return found
  }
}

function identityThere(target: Buffer): string | undefined {
  const stats = lstatSync(target, { bigint: true, throwIfNoEntry: false })
  return stats && identityOf(stats)
}
