import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { together } from './together.ts'

describe('together', () => {
  it('gives what each job gives, in their order', async () => {
    assert.deepEqual(await together([sleep(2, 'a'), Promise.resolve(1)]), ['a', 1])
  })

  it('fails only when every job has ended, and closes what was opened', async () => {
    const events: string[] = []
    const opening = async () => {
      await sleep(5)
      events.push('opened')
      return { [Symbol.asyncDispose]: async () => void events.push('closed') }
    }
    await assert.rejects(together([Promise.reject(new Error('first')), opening()]), /first/)
    assert.deepEqual(events, ['opened', 'closed'])
  })
})
