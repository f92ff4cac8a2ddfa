import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { DebianArchive } from '#sources'
import { type Digest, digestOf, ownedDirectory, packTar, printJson, type Report, removeTree } from '#std'
import { putGround } from './accounts.ts'
import { type DecodeJob, decodeAll } from './decode-all.ts'
import { decodeOnce } from './decoded.ts'
import { type Installed, putRecords } from './dpkg.ts'
import { fetchPackages } from './fetch.ts'
import { type BaseSettings, settingsOf } from './image.ts'
import type { BaseLock } from './lock.ts'
import type { Recipe } from './recipe.ts'
import { keepOf } from './slim.ts'
import { javaTruststore, STEPS, STEPS_REVISION } from './steps.ts'
import { addPackage, type BaseTree, type Content, completeParents, tarEntries } from './tree.ts'

/** What assembling is handed. */
export interface AssemblyContext {
  /** The state directory of slipway. */
  readonly home: string
  readonly archive: DebianArchive
  readonly report: Report
}

/** An operating system, ready to be written as a layer or as a directory. Disposal forgets its bytes. */
export interface Assembled extends AsyncDisposable {
  readonly tree: BaseTree
  /** How its image is to be configured. */
  readonly settings: BaseSettings
  /** The single layer as a tar stream; equal recipe and lock give equal bytes. May be asked for again. */
  layer(): Readable
  /** Bytes of a file of the tree. */
  read(content: Content): Promise<Buffer>
  stream(content: Content): AsyncIterable<Uint8Array>
}

/** Names what a recipe and a lock make; equal names are equal bases, byte for byte. */
export function baseKey(recipe: Recipe, lock: BaseLock): Digest {
  const { name: _, summary: __, packages: ___, exclude: ____, releases: _____, ...shape } = recipe
  const { name: ______, suites: _______, excluded: ________, ...what } = lock
  const packages = what.packages.map(({ name, sha256 }) => ({ name, sha256 }))
  return digestOf(printJson({ shape, ...what, packages, revision: STEPS_REVISION }))
}

/**
 * Puts a base together from exactly the packages that a lock names, fetching what is not in the store. No root, no dpkg,
 * no script of a package. Throws a `Problem` (`BASE_PACKAGES_VANISHED`, `ARTIFACT_DIFFERS`, `PACKAGE_MALFORMED`, `BASE_FILES_CLASH`).
 */
export async function assembleBase(
  recipe: Recipe,
  lock: BaseLock,
  { home, archive, report }: AssemblyContext,
): Promise<Assembled> {
  const artifacts = await fetchPackages(lock.name, lock.packages, archive, report)
  const staging = await ownedDirectory(join(home, 'builds'), '.base-')
  const spools = new Map<string, number>()
  const descriptorOf = (spool: string) => {
    const descriptor = spools.get(spool) ?? openSync(spool, 'r')
    spools.set(spool, descriptor)
    return descriptor
  }
  const dispose = async () => {
    for (const descriptor of spools.values()) closeSync(descriptor)
    spools.clear()
    await removeTree(staging.path)
  }
  // Thousands of small reads of what was just written: waiting for a thread for each would take longer than the reads.
  const read = async (content: Content): Promise<Buffer> => {
    if ('bytes' in content) return Buffer.from(content.bytes)
    const bytes = Buffer.allocUnsafe(content.size)
    const descriptor = descriptorOf(content.spool)
    for (let done = 0; done < content.size; ) {
      const count = readSync(descriptor, bytes, done, content.size - done, content.offset + done)
      if (count === 0) throw new Error('the staging directory was changed by someone else')
      done += count
    }
    return bytes
  }
  async function* stream(content: Content): AsyncGenerator<Uint8Array> {
    if ('bytes' in content || content.size <= PIECE) return yield await read(content)
    for (let done = 0; done < content.size; done += PIECE) {
      const size = Math.min(PIECE, content.size - done)
      yield await read({ ...content, offset: content.offset + done, size })
    }
  }
  try {
    const tree = await compose(
      recipe,
      lock,
      artifacts.map(({ path }) => path),
      { home, staging: staging.path, report },
      read,
    )
    const openContent = (content: Content) => ('bytes' in content ? content.bytes : () => stream(content))
    return {
      tree,
      settings: settingsOf(recipe, lock, baseKey(recipe, lock)),
      layer: () => packTar(tarEntries(tree, openContent)),
      read,
      stream,
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}

const PIECE = 1 << 20

async function compose(
  recipe: Recipe,
  lock: BaseLock,
  paths: readonly string[],
  { home, staging, report }: { readonly home: string; readonly staging: string; readonly report: Report },
  read: (content: Content) => Promise<Buffer>,
): Promise<BaseTree> {
  const tree: BaseTree = new Map()
  const jobs = lock.packages.map(({ name }, index): DecodeJob => {
    const path = paths[index] as string
    // What runs is patched often, and a package at a time; what builds is large, and unpacked on the disk anyhow.
    if (recipe.role === 'run') return decodeOnce(home, recipe, name, path)
    return { path, spool: join(staging, String(index)), keep: keepOf(recipe, name) }
  })
  const decoded = await decodeAll(jobs, `reading packages of ${lock.name}`, report)
  const installed: Installed[] = []
  lock.packages.forEach(({ name }, index) => {
    const { entries, control } = decoded[index] as (typeof decoded)[number]
    addPackage(tree, name, entries, (jobs[index] as (typeof jobs)[number]).spool)
    installed.push({ name, arch: lock.arch, control, paths: entries.map(({ path }) => path) })
  })
  for (const { name } of lock.packages) await STEPS[name]?.(tree, { read })
  if (recipe.role !== 'tool') {
    if (recipe.truststore) await javaTruststore(tree, { read })
    putRecords(tree, installed)
    putGround(tree, recipe.role, lock.arch)
  }
  completeParents(tree)
  return tree
}
