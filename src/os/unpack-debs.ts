import { chmod, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { ownedDirectory, silent } from '#std'
import type { Keep } from './decode.ts'
import { decodeAll } from './decode-all.ts'
import { addPackage, type BaseTree, type Content, completeParents } from './tree.ts'
import { writeTree } from './write-tree.ts'

/**
 * Unpacks packages into a directory, which is made and must not be there yet: files of the caller, no set-id bits, no devices.
 * Names are resolved in memory, so none can lead out of the directory. `include` chooses paths (without a leading slash,
 * `usr` merged). Nothing is left behind on failure but the directory's parent.
 */
export async function unpackDebs(
  debs: readonly string[],
  directory: string,
  { include = () => true }: { readonly include?: Keep } = {},
): Promise<void> {
  await using staging = await ownedDirectory(join(directory, '..'), '.spool-')
  const jobs = debs.map((path, index) => ({ path, spool: join(staging.path, String(index)), keep: include }))
  const decoded = await decodeAll(jobs, 'reading packages', silent)
  const tree: BaseTree = new Map()
  decoded.forEach(({ entries }, index) => {
    addPackage(tree, debs[index] as string, entries, join(staging.path, String(index)))
  })
  completeParents(tree)
  await mkdir(directory, { mode: 0o755 })
  await writeTree(tree, directory, bytesOf)
  await chmod(directory, 0o755)
}

async function* bytesOf(content: Content): AsyncGenerator<Uint8Array> {
  if ('bytes' in content) return yield content.bytes
  if (content.size === 0) return
  const file = await open(content.spool, 'r')
  try {
    yield* file.createReadStream({
      start: content.offset,
      end: content.offset + content.size - 1,
      autoClose: false,
    })
  } finally {
    await file.close()
  }
}
