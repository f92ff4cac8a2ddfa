import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Decompresses parts of files beside the main thread. Its threads start with the first part, and end when it is disposed. */
export interface UnxzPool extends AsyncDisposable {
  /** The part of a file, decompressed; undefined where this machine has no thread to spare. */
  unxz(path: string, start: number, size: number): Promise<Uint8Array | undefined>
}

/** A part of a file to decompress. */
interface UnxzJob {
  readonly id: number
  readonly path: string
  readonly start: number
  readonly size: number
  /** Bytes at most that it may become. */
  readonly limit: number
}

type UnxzAnswer =
  | { readonly id: number; readonly bytes: Uint8Array }
  | { readonly id: number; readonly failure: string }

interface Waiting {
  readonly resolve: (bytes: Uint8Array | undefined) => void
  readonly reject: (error: Error) => void
}

/** One package of a distribution, unpacked, has never been as large. */
const LIMIT = 512 * 2 ** 20

export function openUnxzPool(): UnxzPool {
  const place = workerPlace()
  const workers: { worker: Worker; waiting: Map<number, Waiting> }[] = []
  let jobs = 0
  const start = (from: string) => {
    const worker = new Worker(from)
    const waiting = new Map<number, Waiting>()
    // A thread that cannot start or dies gives its work back; it is then done without threads.
    const giveBack = () => {
      for (const { resolve } of waiting.values()) resolve(undefined)
      waiting.clear()
      const index = workers.findIndex(each => each.worker === worker)
      if (index >= 0) workers.splice(index, 1)
    }
    worker.on('error', giveBack)
    worker.on('exit', giveBack)
    worker.on('message', (answer: UnxzAnswer) => {
      const one = waiting.get(answer.id)
      waiting.delete(answer.id)
      if ('bytes' in answer) one?.resolve(answer.bytes)
      else one?.reject(new Error(answer.failure))
    })
    workers.push({ worker, waiting })
  }
  let started = false
  return {
    unxz(path, begin, size) {
      if (place && !started)
        for (let count = 0; count < Math.min(availableParallelism(), 8); count++) start(place)
      started = true
      const [least] = workers.toSorted((a, b) => a.waiting.size - b.waiting.size)
      if (!least) return Promise.resolve(undefined)
      const job: UnxzJob = { id: jobs++, path, start: begin, size, limit: LIMIT }
      return new Promise((resolve, reject) => {
        least.waiting.set(job.id, { resolve, reject })
        least.worker.postMessage(job)
      })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.splice(0).map(({ worker }) => worker.terminate()))
    },
  }
}

/** The worker's file, beside this one in the sources as in a bundle. */
function workerPlace(): string | undefined {
  const path = join(import.meta.dirname, 'unxz-worker.mjs')
  return existsSync(path) ? path : undefined
}
