import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { sourceDigest } from './source-digest.ts'

describe('the digest of a source', () => {
  it('follows from paths, contents and programs, not from times', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const place = (name: string) => join(directory.path, name)
    const write = (path: string, text: string) => {
      mkdirSync(dirname(place(path)), { recursive: true })
      writeFileSync(place(path), text)
    }
    for (const [path, text] of Object.entries({ 'one/a/b': 'x', 'one/c': 'y', 'two/c': 'y', 'two/a/b': 'x' }))
      write(path, text)
    const first = await sourceDigest(place('one'))
    assert.equal(await sourceDigest(place('two')), first)
    chmodSync(place('two/c'), 0o755)
    assert.notEqual(await sourceDigest(place('two')), first)
    chmodSync(place('two/c'), 0o600)
    assert.equal(await sourceDigest(place('two')), first)
    write('two/a/b', 'z')
    assert.notEqual(await sourceDigest(place('two')), first)
  })
})
