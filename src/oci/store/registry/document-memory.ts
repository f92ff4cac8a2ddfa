import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf, hexOf, keepNewest, replaceFile } from '#std'
import type { Descriptor } from '../../descriptor.ts'

/** Small blobs that were read before. Only a memory: what it does not have is read again, and it is asked only for what a registry has just named. */
export interface DocumentMemory {
  recall(blob: Descriptor): Promise<Buffer | undefined>
  remember(blob: Descriptor, bytes: Buffer): Promise<void>
}

/** Remembers nothing. */
export const noDocuments: DocumentMemory = {
  recall: async () => undefined,
  remember: async () => {},
}

/** Larger ones are not kept. */
const LARGEST = 256 << 10

/** A memory in a directory, a file for each; the oldest half goes when there are more than `limit`. What is not that of its digest counts as nothing. */
export function openDocumentMemory(directory: string, limit = 1000): DocumentMemory {
  const place = ({ digest }: Descriptor) => join(directory, hexOf(digest))
  return {
    async recall(blob) {
      if (blob.size > LARGEST) return undefined
      const bytes = await readFile(place(blob)).catch(() => undefined)
      return bytes && bytes.length === blob.size && digestOf(bytes) === blob.digest ? bytes : undefined
    },
    async remember(blob, bytes) {
      if (blob.size > LARGEST) return
      try {
        await replaceFile(place(blob), bytes)
        await keepNewest(directory, limit)
      } catch {
        // A full disk, say: then it is read again next time.
      }
    },
  }
}
