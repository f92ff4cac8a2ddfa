import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { build } from 'esbuild'
import { parseBuildpackId } from '../../src/cnb/mod.ts'
import { diffIdOf } from '../../src/lifecycle/keep-layer.ts'
import { exportCache, openDirectoryCache, openVolumeCache } from '../../src/lifecycle/mod.ts'
import { packTree } from '../../src/lifecycle/pack-directory.ts'
import {
  recording,
  removeTree,
  silent,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../src/std/mod.ts'

/** A build is killed before each of its changes to a cache in turn. The next build finds right layers or none, and needs no repair. */

const rules = { owner: { uid: 1001, gid: 1000 }, parents: 'fixed' } as const
const buildpacks = [{ id: parseBuildpackId('acme/bp', 'a test'), version: '1.0.0', api: '0.10' } as const]

let directory: TemporaryDirectory
before(async () => {
  directory = await temporaryDirectory(tmpdir(), 'crash-')
  await build({
    entryPoints: [join(import.meta.dirname, 'cache-crash-child.ts')],
    outfile: join(directory.path, 'child.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  })
})
after(() => directory[Symbol.asyncDispose]())

for (const kind of ['volume', 'directory'] as const) {
  describe(`a ${kind} cache`, () => {
    it('survives a kill before every change to it', async t => {
      const found = { right: 0, missing: 0 }
      let kills = 0
      for (let step = 1; ; step++) {
        const home = join(directory.path, kind, String(step))
        const child = spawnSync(
          process.execPath,
          [join(directory.path, 'child.mjs'), kind, home, String(step)],
          { encoding: 'utf8' },
        )
        assert.ok(child.signal === 'SIGKILL' || child.status === 0, child.stderr)
        await checkCache(kind, home, found)
        await rm(home, { recursive: true })
        if (child.status === 0) break
        kills += 1
      }
      t.diagnostic(`${kills} kills: ${found.right} layers came back right, ${found.missing} were missing`)
      assert.ok(kills >= 10, `only ${kills} steps`)
      assert.ok(found.right > 10, JSON.stringify(found))
    })
  })
}

async function checkCache(
  kind: 'volume' | 'directory',
  home: string,
  found: { right: number; missing: number },
): Promise<void> {
  const layers = { host: join(home, 'layers'), inside: '/layers' }
  await removeTree(layers.host)
  const cache =
    kind === 'volume'
      ? await openVolumeCache(join(home, 'cache'), { ...rules, layers })
      : await openDirectoryCache(join(home, 'cache'), { ...rules, layers, report: silent })
  try {
    const records = (await cache.metadata())?.buildpacks.flatMap(({ layers: each }) => [...each]) ?? []
    found.missing += 2 - records.length
    for (const [name, { sha }] of records) {
      const target = join(layers.host, 'acme_bp', name)
      const inside = `/layers/acme_bp/${name}`
      if (!(await cache.restoreLayer(sha, target, inside))) {
        found.missing += 1
        continue
      }
      const packed = await packTree({ host: target, inside }, layers, rules)
      await using writing = await cache.begin()
      assert.equal(writing.nameUnread?.(packed) ?? (await diffIdOf(packed, undefined)), sha)
      found.right += 1
    }
    const report = recording()
    assert.equal(
      await exportCache({ cache, places: { layers }, rules, buildpacks, report }),
      true,
      report.lines.join('\n'),
    )
  } finally {
    await (cache as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.()
  }
}
