import { execFile } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Real pipes. What Node calls a pipe is a socket pair, and a program that opens `/dev/stderr` or `/proc/self/fd/2` (as servers do for their
 * logs) fails on a socket. These are named pipes in a private directory, used again when all their users are dead.
 */
export class Pipes {
  readonly #directory: string
  readonly #free: string[]
  #made: number

  /** `made` are those that are in the directory already: `pipe-0`, `pipe-1`, … */
  constructor(directory: string, made: readonly string[]) {
    this.#directory = directory
    this.#free = [...made]
    this.#made = made.length
  }

  async take(): Promise<Pipe> {
    for (;;) {
      const path = this.#free.pop()
      if (path) return new Pipe(path, () => this.#free.push(path))
      const fresh = Array.from({ length: 6 }, () => join(this.#directory, `pipe-${this.#made++}`))
      await promisify(execFile)('mkfifo', ['-m', '600', ...fresh])
      this.#free.push(...fresh)
    }
  }
}

/** One pipe for the output of a program. */
export class Pipe {
  readonly #path: string
  readonly #release: () => void
  #writer: number | undefined
  #stream: Socket | undefined

  constructor(path: string, release: () => void) {
    this.#path = path
    this.#release = release
  }

  /** A descriptor to hand to a program that writes, and a stream of what it writes. */
  open(): { descriptor: number; output: Socket } {
    const reader = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK)
    this.#writer = openSync(this.#path, constants.O_WRONLY)
    this.#stream = new Socket({ fd: reader, readable: true, writable: false })
    return { descriptor: this.#writer, output: this.#stream }
  }

  /** Closes our copy of the end that was handed to a program; due as soon as that has started. */
  handedOver(): void {
    if (this.#writer !== undefined) closeSync(this.#writer)
    this.#writer = undefined
  }

  /** Ends the use of the pipe; only when every process that had it is dead. */
  release(): void {
    this.handedOver()
    const stream = this.#stream
    if (!stream || stream.closed) {
      this.#release()
    } else {
      stream.once('close', this.#release)
      stream.destroy()
    }
  }
}
