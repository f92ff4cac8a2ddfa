import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { UnxzPool } from '#sources'
import { digestOf, hexOf, isSystemError, ownedDirectory, printJson, removeTree, syncDirectory } from '#std'
import { type DecodedPackage, decodePackage } from './decode.ts'
import type { DecodeJob } from './decode-all.ts'
import type { Recipe } from './recipe.ts'
import { keepOf, keptPaths } from './slim.ts'

/** Part of the names of decoded packages; another revision decodes anew. */
const REVISION = 1

/**
 * Decodes a package of the artifact store once for all bases that take the same paths of it: what it contains stays below
 * `<home>/packages`, so that a base of which one package changed decodes one package. Whole or not at all, also after a
 * crash; what is damaged is decoded anew.
 */
export function decodeOnce(home: string, recipe: Recipe, name: string, artifact: string): DecodeJob {
  const shape = hexOf(digestOf(printJson({ paths: keptPaths(recipe, name), revision: REVISION }))).slice(
    0,
    12,
  )
  const parent = join(home, 'packages')
  const place = join(parent, `${basename(artifact)}-${shape}`)
  const keep = keepOf(recipe, name)
  const decode = async (pool: UnxzPool): Promise<DecodedPackage> => {
    const known = await readDecoded(place)
    if (known) return known
    await using staging = await ownedDirectory(parent, '.new-')
    const fresh = join(staging.path, 'package')
    await mkdir(fresh)
    const decoded = await decodePackage(artifact, join(fresh, 'content'), keep, pool)
    await writeDecoded(fresh, decoded)
    await moveTo(place, fresh)
    await syncDirectory(parent)
    return decoded
  }
  return { path: artifact, spool: join(place, 'content'), keep, decode }
}

async function writeDecoded(directory: string, { entries, control }: DecodedPackage): Promise<void> {
  const listing = await open(join(directory, 'listing.json'), 'wx', 0o644)
  try {
    await listing.writeFile(JSON.stringify({ entries, control: [...control] }))
    await listing.sync()
  } finally {
    await listing.close()
  }
  const content = await open(join(directory, 'content'), 'r')
  try {
    await content.sync()
  } finally {
    await content.close()
  }
  await syncDirectory(directory)
}

async function readDecoded(place: string): Promise<DecodedPackage | undefined> {
  try {
    const { entries, control } = JSON.parse(await readFile(join(place, 'listing.json'), 'utf8'))
    return { entries, control: new Map(control) }
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

async function moveTo(place: string, fresh: string): Promise<void> {
  try {
    await rename(fresh, place)
  } catch (error) {
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST')) throw error
    // Someone else was faster with the same, unless it is damaged.
    if (await readDecoded(place)) return
    await removeTree(place)
    await rename(fresh, place)
  }
}
