import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ownedDirectory } from './owned-directory.ts'

describe('ownedDirectory', () => {
  it('removes what dead processes left, keeps what living ones use, and goes when disposed', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'owned-'))
    try {
      const dead = join(parent, 'run-4194999-1-abcdef')
      const foreign = join(parent, 'something-else')
      for (const each of [dead, foreign]) mkdirSync(join(each, 'inner'), { recursive: true })
      await using living = await ownedDirectory(parent, 'run-')
      await using second = await ownedDirectory(parent, 'run-')
      assert.deepEqual(
        [dead, foreign, living.path, second.path].map(path => existsSync(path)),
        [false, true, true, true],
      )
      await living[Symbol.asyncDispose]()
      assert.equal(readdirSync(parent).length, 2)
    } finally {
      rmSync(parent, { recursive: true, force: true })
    }
  })
})
