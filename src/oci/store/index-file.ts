import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { byBytes, check, isSystemError, parseExactJson, readIfExists, writeDurably } from '#std'
import { type Descriptor, descriptorSchema, tidy } from '../descriptor.ts'
import { manifestAmbiguous } from '../manifest.ts'
import { OCI } from '../media-types.ts'
import { documentTooLarge } from '../problems.ts'
import { lockLayout, prepareLayout } from './ground.ts'

/** The annotation that names an image in a layout (image-spec annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name'

/** An index larger than this is refused unread. */
const LARGEST_INDEX = 16 * 2 ** 20

const indexSchema = v.looseObject({
  schemaVersion: v.literal(2),
  manifests: v.pipe(v.array(descriptorSchema), v.maxLength(100_000)),
})

/** Reads an image index (image-spec image-index.md). Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`, `MANIFEST_AMBIGUOUS`). */
export function parseIndex(text: string, source: string): Descriptor[] {
  const value = parseExactJson(Buffer.from(text), source)
  if (typeof value === 'object' && value !== null && ('layers' in value || 'config' in value))
    throw manifestAmbiguous(source)
  return check(indexSchema, value, source).manifests.map(tidy)
}

/** What the layout in this directory has, in the order it is written. */
export async function readIndex(root: string): Promise<Descriptor[]> {
  const path = join(root, 'index.json')
  const size = await sizeIfExists(path)
  if (size > LARGEST_INDEX) throw documentTooLarge(path, size)
  const text = await readIfExists(path)
  return text === undefined ? [] : parseIndex(text, path)
}

/** Changes `index.json` under the lock that all processes share; skips the write where nothing changes. */
export async function changeIndex(
  root: string,
  change: (manifests: Descriptor[]) => Descriptor[],
): Promise<void> {
  await prepareLayout(root)
  await using _ = await lockLayout(root)
  const manifests = change(await readIndex(root)).sort((a, b) => byBytes(nameOf(a) ?? '', nameOf(b) ?? ''))
  const text = `${JSON.stringify({ schemaVersion: 2, mediaType: OCI.index, manifests })}\n`
  const path = join(root, 'index.json')
  if (text !== (await readIfExists(path))) await writeDurably(path, text)
}

/** The name that an index gives to what it lists. */
export function nameOf(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[REF_NAME]
}

async function sizeIfExists(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return 0
    throw error
  }
}
