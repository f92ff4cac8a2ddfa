import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { endOrphans } from './orphans.ts'

describe('endOrphans', () => {
  it('ends processes that were started with the directory, and no others', async () => {
    const start = async (word: string) => {
      const child = spawn('/bin/sh', ['-c', 'echo ready; read never', 'sh', word], {
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      await once(child.stdout, 'data')
      return child
    }
    const [inside, below, beside] = await Promise.all(
      ['/nowhere/sandbox-1', '/nowhere/sandbox-1/copy', '/nowhere/sandbox-12'].map(start),
    )
    const ends = [inside, below].map(child => once(child as typeof inside & object, 'exit'))
    await endOrphans('/nowhere/sandbox-1')
    for (const [, signal] of await Promise.all(ends)) assert.equal(signal, 'SIGKILL')
    assert.equal(beside?.exitCode, null)
    const ended = once(beside as NonNullable<typeof beside>, 'exit')
    beside?.kill()
    await ended
  })
})
