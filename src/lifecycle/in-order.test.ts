import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inOrder } from './in-order.ts'

describe('inOrder', () => {
  it('gives results in the order of the tasks, with no more than so many under way', async () => {
    let running = 0
    let most = 0
    const tasks = Array.from({ length: 9 }, (_, index) => async () => {
      running += 1
      most = Math.max(most, running)
      for (let turn = 0; turn < 9 - index; turn++) await Promise.resolve()
      running -= 1
      return index
    })
    const results: number[] = []
    for await (const result of inOrder(tasks, 3)) results.push(result)
    assert.deepEqual(results, [0, 1, 2, 3, 4, 5, 6, 7, 8])
    assert.equal(most, 3)
  })

  it('ends with the first failure once all that was started has ended', async () => {
    const ended: number[] = []
    const tasks = [0, 1, 2, 3].map(index => async () => {
      if (index === 1) throw new Error('task 1')
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      ended.push(index)
      return index
    })
    await assert.rejects(async () => {
      for await (const _ of inOrder(tasks, 2)) {
        // Only the failure is of interest.
      }
    }, /task 1/)
    assert.deepEqual(ended, [0, 2])
  })
})
