import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { emptyImage } from '#oci'
import { lockFile, temporaryDirectory } from '#std'
import { cacheDirectory, ELSEWHERE } from './build/cache.ts'
import { forgetCaches } from './forget-caches.ts'
import { openStore } from './store.ts'

describe('forgetCaches', () => {
  it('removes the caches of images that are gone, and none that a build has open', async () => {
    await using home = await temporaryDirectory(tmpdir(), 'caches-')
    const store = openStore(home.path)
    await store.write(emptyImage('linux', 'amd64'), ['here:1.0'])
    const [here, gone, busy] = ['here:1.0', 'gone', 'busy'].map(name => cacheDirectory(home.path, name))
    for (const directory of [here, gone, busy]) await mkdir(directory as string, { recursive: true })
    await using _ = await lockFile(join(busy as string, 'lock'))
    assert.equal(await forgetCaches(home.path, store, Date.now()), 1)
    assert.deepEqual(
      [here, gone, busy].map(directory => existsSync(directory as string)),
      [true, false, true],
    )
  })
  it('keeps those of images that were put elsewhere, for a month', async () => {
    await using home = await temporaryDirectory(tmpdir(), 'caches-')
    const store = openStore(home.path)
    const directory = cacheDirectory(home.path, 'registry.example/shop')
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, ELSEWHERE), '')
    const { mtimeMs } = await stat(join(directory, ELSEWHERE))
    assert.equal(await forgetCaches(home.path, store, mtimeMs + 29 * 86_400_000), 0)
    assert.ok(existsSync(directory))
    assert.equal(await forgetCaches(home.path, store, mtimeMs + 31 * 86_400_000), 1)
    assert.ok(!existsSync(directory))
  })
})
