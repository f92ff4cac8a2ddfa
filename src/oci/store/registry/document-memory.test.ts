import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { hexOf, temporaryDirectory } from '#std'
import { describeBytes } from '../../descriptor.ts'
import { openDocumentMemory } from './document-memory.ts'

const documentOf = (text: string) => {
  const bytes = Buffer.from(text)
  return { bytes, blob: describeBytes('application/json', bytes) }
}

describe('the memory of documents', () => {
  it('gives back what it was given, to the next process too', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const { bytes, blob } = documentOf('{"a":1}')
    const memory = openDocumentMemory(directory.path)
    assert.equal(await memory.recall(blob), undefined)
    await memory.remember(blob, bytes)
    assert.deepEqual(await openDocumentMemory(directory.path).recall(blob), bytes)
  })

  it('forgets what is damaged', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const { bytes, blob } = documentOf('{"a":1}')
    const memory = openDocumentMemory(directory.path)
    await memory.remember(blob, bytes)
    await writeFile(join(directory.path, hexOf(blob.digest)), '{"a":2}')
    assert.equal(await memory.recall(blob), undefined)
    await writeFile(join(directory.path, hexOf(blob.digest)), '')
    assert.equal(await memory.recall(blob), undefined)
  })

  it('keeps few, and none that is large', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const memory = openDocumentMemory(directory.path, 10)
    const large = documentOf('x'.repeat(300_000))
    await memory.remember(large.blob, large.bytes)
    assert.equal(await memory.recall(large.blob), undefined)
    for (let index = 0; index < 11; index++) {
      const { blob, bytes } = documentOf(String(index))
      await memory.remember(blob, bytes)
    }
    assert.equal((await readdir(directory.path)).length, 5)
  })
})
