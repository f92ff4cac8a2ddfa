import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Digesting, isSystemError, Problem, removeTree } from '#std'
import type { Place } from './executor.ts'
import { extractLayer } from './extract-layer.ts'

/** Unpacks the tar of a cached layer if its bytes are those of its diffID; false, and nothing is left, where it is missing or damaged. */
export async function restoreTar(
  open: () => Readable | Promise<Readable>,
  diffId: string,
  place: Place,
): Promise<boolean> {
  let tar: Readable | undefined
  try {
    tar = await open()
    const digesting = new Digesting()
    const flowing = pipeline(tar, digesting)
    // Awaited below; until then a failure must not count as unhandled.
    flowing.catch(() => {})
    await extractLayer(digesting, place)
    await flowing
    if (digesting.digest() === diffId) return true
  } catch (error) {
    if (!(error instanceof Problem) && !isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'EIO')) throw error
  } finally {
    tar?.destroy()
  }
  await removeTree(place.host)
  return false
}
