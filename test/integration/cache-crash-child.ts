import fs from 'node:fs'
import promises, { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { parseBuildpackId } from '../../src/cnb/mod.ts'
import { exportCache, openDirectoryCache, openVolumeCache } from '../../src/lifecycle/mod.ts'
import { silent } from '../../src/std/mod.ts'

/**
 * One build's use of a cache, which kills itself (SIGKILL) before its k-th change to the file system. Arguments: kind, directory, k.
 * Ends with 0 if there were fewer changes.
 */
const [kind, directory, fatal] = process.argv.slice(2) as [string, string, string]
const layers = { host: join(directory, 'layers'), inside: '/layers' }
const rules = { owner: { uid: 1001, gid: 1000 }, parents: 'fixed' } as const
const buildpacks = [{ id: parseBuildpackId('acme/bp', 'a test'), version: '1.0.0', api: '0.10' } as const]

async function build(text: string): Promise<void> {
  for (const name of ['large', 'small']) {
    await mkdir(join(layers.host, 'acme_bp', name), { recursive: true })
    await writeFile(join(layers.host, `acme_bp/${name}.toml`), '[types]\ncache = true\n')
    await appendFile(join(layers.host, 'acme_bp', name, 'data'), name === 'large' ? text : text.slice(0, 6))
  }
}

async function cycle(text: string): Promise<void> {
  const cache =
    kind === 'volume'
      ? await openVolumeCache(join(directory, 'cache'), { ...rules, layers })
      : await openDirectoryCache(join(directory, 'cache'), { ...rules, layers, report: silent })
  try {
    for (const { layers: records } of (await cache.metadata())?.buildpacks ?? []) {
      for (const [name, { sha }] of records)
        await cache.restoreLayer(sha, join(layers.host, 'acme_bp', name), `/layers/acme_bp/${name}`)
    }
    await build(text)
    await exportCache({ cache, places: { layers }, rules, buildpacks, report: silent })
  } finally {
    await (cache as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.()
  }
}

/** Counts changes to the file system from now on, and dies before the fatal one. */
function countDown(): void {
  let left = Number(fatal)
  const count = () => {
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
  for (const name of [
    'rename',
    'rm',
    'mkdir',
    'open',
    'writeFile',
    'appendFile',
    'copyFile',
    'chmod',
    'link',
    'symlink',
  ] as const) {
    const whole = promises[name] as (...values: unknown[]) => Promise<unknown>
    Object.assign(promises, {
      [name]: (...values: unknown[]) => {
        count()
        return whole(...values)
      },
    })
  }
  const { createWriteStream } = fs
  fs.createWriteStream = ((...values: Parameters<typeof createWriteStream>) => {
    count()
    return createWriteStream(...values)
  }) as typeof createWriteStream
  syncBuiltinESMExports()
}

await mkdir(join(directory, 'cache'), { recursive: true })
// Above the size that a directory cache copies instead of moving.
await cycle('first '.repeat(750_000))
await promises.rm(layers.host, { recursive: true, force: true })
countDown()
await cycle('second')
