import { join } from 'node:path'
import * as v from 'valibot'
import { check, type Digest, hexOf, isDigest, parseJson, readIfExists, writeDurably } from '#std'
import { type Descriptor, parseDescriptor } from '../../descriptor.ts'
import type { Repository } from '../../reference.ts'

/** Which blob a layer that was made here became, and where it was sent. Only a memory: a registry is asked before it is relied on. */
export interface LayerMemory {
  recall(diffId: Digest): Promise<Remembered | undefined>
  remember(diffId: Digest, remembered: Remembered): Promise<void>
}

export interface Remembered {
  readonly blob: Descriptor
  readonly origin: Repository
}

/** A memory that ends with the process. */
export function shortMemory(): LayerMemory {
  const known = new Map<Digest, Remembered>()
  return {
    recall: async diffId => known.get(diffId),
    remember: async (diffId, remembered) => void known.set(diffId, remembered),
  }
}

const schema = v.looseObject({ blob: v.unknown(), registry: v.string(), repository: v.string() })

/** A memory in a directory, one small file for each layer and registry's host. What cannot be read is as good as nothing. */
export function openLayerMemory(directory: string): LayerMemory {
  const place = (diffId: Digest) => join(directory, `${hexOf(diffId)}.json`)
  return {
    async recall(diffId) {
      if (!isDigest(diffId)) return undefined
      try {
        const text = await readIfExists(place(diffId))
        if (text === undefined) return undefined
        const { blob, registry, repository } = check(schema, parseJson(text, 'a record'), 'a record')
        return { blob: parseDescriptor(blob, 'a record'), origin: { registry, repository } }
      } catch {
        return undefined
      }
    },
    async remember(diffId, { blob, origin }) {
      await writeDurably(place(diffId), JSON.stringify({ blob, ...origin }))
    },
  }
}
