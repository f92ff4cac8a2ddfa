import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, isAlive, isDigest, readIfExists } from '#std'
import { parseManifest } from '../manifest.ts'
import { isIndexType } from '../media-types.ts'
import type { Blobs } from './blobs.ts'
import { lockLayout, prepareLayout } from './ground.ts'
import { parseIndex, readIndex } from './index-file.ts'
import { liveLeases } from './lease.ts'

/** What a collection of garbage did. */
export interface Collected {
  readonly blobs: number
  readonly bytes: number
  /** Builds that were under way, because of which nothing was deleted. */
  readonly running: number
}

/** Deletes what no image of the index needs. While anyone has a lease nothing is deleted. */
export async function collect(root: string, blobs: Blobs): Promise<Collected> {
  await prepareLayout(root)
  await using _ = await lockLayout(root)
  await sweepStaging(join(root, '.slipway/staging'))
  const running = await liveLeases(join(root, '.slipway/leases'))
  if (running > 0) return { blobs: 0, bytes: 0, running }
  const needed = await reachable(root, blobs)
  let count = 0
  let bytes = 0
  for (const name of await readdir(join(root, 'blobs/sha256'))) {
    const digest = `sha256:${name}`
    if (!isDigest(digest) || needed.has(digest)) continue
    bytes += (await blobs.size(digest)) ?? 0
    count += 1
    await rm(blobs.path(digest), { force: true })
  }
  await sweepDiffIds(join(root, '.slipway/diff-ids'), needed)
  await sweepChecked(join(root, '.slipway/checked'), needed)
  return { blobs: count, bytes, running: 0 }
}

async function reachable(root: string, blobs: Blobs): Promise<Set<Digest>> {
  const needed = new Set<Digest>()
  const pending = await readIndex(root)
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (needed.has(next.digest)) continue
    needed.add(next.digest)
    if ((await blobs.size(next.digest)) === undefined) continue
    const bytes = await blobs.read(next.digest)
    if (isIndexType(next.mediaType)) {
      pending.push(...parseIndex(new TextDecoder().decode(bytes), `the index ${next.digest}`))
      continue
    }
    const manifest = parseManifest(bytes, `the manifest ${next.digest}`)
    for (const each of [manifest.config, ...manifest.layers]) needed.add(each.digest)
  }
  return needed
}

async function sweepDiffIds(directory: string, needed: ReadonlySet<Digest>): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const text = await readIfExists(join(directory, name))
    const digest = /"digest":"(sha256:[0-9a-f]{64})"/.exec(text ?? '')?.[1]
    if (digest === undefined || !needed.has(digest as Digest))
      await rm(join(directory, name), { force: true })
  }
}

async function sweepChecked(directory: string, needed: ReadonlySet<Digest>): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!needed.has(`sha256:${name}` as Digest)) await rm(join(directory, name), { force: true })
  }
}

async function sweepStaging(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const [pid, start] = name.split('-')
    if (!(await isAlive(`${pid} ${start}`))) await rm(join(directory, name), { force: true })
  }
}
