import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { openArtifactStore } from './artifacts.ts'
import { metered } from './metered.ts'

async function* bytes(...sizes: number[]) {
  for (const size of sizes) {
    await new Promise(resolve => setImmediate(resolve))
    yield Buffer.alloc(size, String(size))
  }
}

describe('metered', () => {
  it('tells each job of its own downloads, while they come', async () => {
    await using home = await temporaryDirectory(tmpdir(), 'metered-')
    const artifacts = openArtifactStore(home.path)
    const told: Record<string, number[]> = { one: [], two: [] }
    await Promise.all([
      metered(
        count => told.one?.push(count),
        () => artifacts.add(bytes(1, 2, 3), {}),
      ),
      metered(
        count => told.two?.push(count),
        () => artifacts.add(bytes(40, 50), {}),
      ),
      artifacts.add(bytes(600), {}),
    ])
    assert.deepEqual(told, { one: [1, 2, 3], two: [40, 50] })
  })
})
