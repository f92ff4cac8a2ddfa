import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Digest } from '#std'
import { check, hexOf, isDigest, Problem, parseJson, printJson, replaceFile } from '#std'

const digest = v.custom<Digest>(
  value => typeof value === 'string' && isDigest(value),
  'must be a sha256 digest',
)
const member = v.object({ id: v.string(), version: v.string() })

const recordSchema = v.object({
  /** How the image before it was named exactly. */
  previous: v.nullable(v.string()),
  /** Who chose the buildpacks, in words. */
  chosenBy: v.string(),
  group: v.array(member),
  attempts: v.array(
    v.object({
      ...member.entries,
      result: v.picklist(['passed', 'failed', 'errored', 'left out']),
      words: v.string(),
    }),
  ),
  notes: v.array(v.string()),
  layers: v.array(
    v.object({
      identifier: v.string(),
      diffId: digest,
      reused: v.boolean(),
      untouched: v.boolean(),
      before: v.array(v.string()),
    }),
  ),
})

/** What a build knew when it made an image, beyond what the image itself says. */
export type BuildRecord = v.InferOutput<typeof recordSchema>

function placeOf(home: string, image: Digest): string {
  return join(home, 'exports/records', `${hexOf(image)}.json`)
}

/** Keeps what a build knew, under the digest of what it made; the last build of the same image wins. */
export async function writeRecord(home: string, image: Digest, record: BuildRecord): Promise<void> {
  await replaceFile(placeOf(home, image), printJson(record))
}

/** What the last build of this image here knew; undefined if it was built elsewhere. What cannot be read counts as nothing. */
export async function readRecord(home: string, image: Digest): Promise<BuildRecord | undefined> {
  const path = placeOf(home, image)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return check(recordSchema, parseJson(text, path), path)
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
