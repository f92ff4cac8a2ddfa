import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { matchesOrBelow } from './source-removal.ts'

describe('patterns of kept files', () => {
  const cases: [string, string, boolean][] = [
    ['conf/a/b.yml', 'conf', true],
    ['conf/a.yml', 'conf/*.yml', true],
    ['conf/x/a.yml', 'conf/*.yml', false],
    ['conf/x/a.yml', 'conf/**/*.yml', true],
    ['a.yml', '**/*.yml', true],
    ['a/b/c', '**', true],
    ['configuration', 'conf', false],
    ['a.b', 'a?b', true],
    ['a+b', 'a+b', true],
  ]
  for (const [path, pattern, expected] of cases)
    it(`${pattern} ${expected ? 'has' : 'has not'} ${path}`, () =>
      assert.equal(matchesOrBelow(path, pattern), expected))
})
