import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Held, isSystemError, lockFile, parseJson, readIfExists, writeDurably } from '#std'
import { layoutUnusable } from '../problems.ts'

const README = `What slipway keeps beside the images: leases, diffIDs of blobs, and files being written.
It can be deleted while slipway does not run; layers are then hashed and compressed once more.
`

/** Begins an image layout in a directory, or checks that there is one (image-spec image-layout.md). Throws `LAYOUT_UNUSABLE`. */
export async function prepareLayout(root: string): Promise<void> {
  const path = join(root, 'oci-layout')
  try {
    const text = await readIfExists(path)
    if (text !== undefined) return checkLayout(text, path, root)
    await mkdir(join(root, 'blobs/sha256'), { recursive: true })
    await mkdir(join(root, '.slipway'), { recursive: true })
    await writeFile(join(root, '.slipway/README'), README)
    await writeDurably(path, '{"imageLayoutVersion":"1.0.0"}')
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR', 'EEXIST')) throw layoutUnusable(root, 'it is no directory', error)
    throw error
  }
}

function checkLayout(text: string, path: string, root: string): void {
  const value = parseJson(text, path) as { imageLayoutVersion?: unknown } | null
  if (value?.imageLayoutVersion !== '1.0.0')
    throw layoutUnusable(root, 'its oci-layout file does not say version 1.0.0')
}

/** Waits for the lock that all who change a layout share. */
export function lockLayout(root: string): Promise<Held> {
  return lockFile(join(root, '.slipway/lock'))
}
