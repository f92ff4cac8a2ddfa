import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { digestOf, temporaryDirectory } from '#std'
import { openArtifactStore } from './artifacts.ts'

const bytes = Buffer.from('some bytes')
const stream = () => Readable.from([bytes.subarray(0, 4), bytes.subarray(4)])

describe('artifact store', () => {
  async function opened(
    use: (store: ReturnType<typeof openArtifactStore>, files: () => Promise<string[]>) => Promise<void>,
  ) {
    await using home = await temporaryDirectory(tmpdir())
    const files = () => readdir(join(home.path, 'artifacts/sha256')).catch(() => [])
    await use(openArtifactStore(home.path), files)
  }

  it('keeps bytes under their own digest', () =>
    opened(async store => {
      assert.equal(await store.path(digestOf(bytes)), undefined)
      const artifact = await store.add(stream(), { digest: digestOf(bytes), size: bytes.length })
      assert.equal(artifact.digest, digestOf(bytes))
      assert.deepEqual(await readFile(artifact.path), bytes)
      assert.equal(await store.path(digestOf(bytes)), artifact.path)
      assert.deepEqual(await store.add(stream(), {}), artifact)
    }))

  it('keeps nothing of what is not as expected, too long, or cut short', () =>
    opened(async (store, files) => {
      const cut = Readable.from(
        (async function* () {
          yield bytes
          throw new Error('cut')
        })(),
      )
      await assert.rejects(store.add(stream(), { digest: digestOf('other') }), { code: 'ARTIFACT_DIFFERS' })
      await assert.rejects(store.add(stream(), { size: bytes.length + 1 }), { code: 'ARTIFACT_DIFFERS' })
      await assert.rejects(store.add(stream(), { size: bytes.length - 1 }), { code: 'ARTIFACT_TOO_LARGE' })
      await assert.rejects(store.add(stream(), { limit: 3, name: 'a.deb' }), { message: /a\.deb/ })
      await assert.rejects(store.add(cut, {}), { message: 'cut' })
      assert.deepEqual(await files(), [])
    }))
})
