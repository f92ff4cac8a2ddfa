import assert from 'node:assert/strict'
import { Problem } from './problem.ts'

/**
 * Checks that something is refused as a person needs it: a `Problem` with this code, words that say what, why and what to do,
 * nothing in them that a terminal would obey, and not pages of them.
 */
export async function assertRefused(
  act: () => unknown,
  code: string | readonly string[],
  why?: RegExp,
): Promise<void> {
  let result: unknown
  try {
    result = await act()
  } catch (error) {
    assert.ok(error instanceof Problem, `no Problem, but ${(error as Error)?.stack ?? String(error)}`)
    assert.ok([code].flat().includes(error.code), `${error.code}: ${error.message}`)
    for (const words of [error.what, error.why, error.fix]) {
      assert.ok(words.length > 0 && words.length < 2000, `${words.length} characters`)
      assert.doesNotMatch(words, /[\u0000-\u0008\u000b-\u001f\u007f]/)
    }
    if (why) assert.match(error.why, why)
    return
  }
  assert.fail(`expected ${code}, but it gave ${JSON.stringify(result)?.slice(0, 200)}`)
}
