import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseBuildPlan } from './build-plan.ts'

describe('parseBuildPlan', () => {
  it('reads alternatives, main section first', () => {
    const text = `[[provides]]
name = "jdk"
[[requires]]
name = "jdk"
[requires.metadata]
build = true
[[or]]
[[or.provides]]
name = "jre"
`
    assert.deepEqual(JSON.parse(JSON.stringify(parseBuildPlan(text, 'plan'))), [
      { provides: ['jdk'], requires: [{ name: 'jdk', metadata: { build: true } }] },
      { provides: ['jre'], requires: [] },
    ])
    assert.deepEqual(parseBuildPlan('', 'plan'), [{ provides: [], requires: [] }])
  })

  for (const [what, text] of [
    ['a version of its own', '[[requires]]\nname = "a"\nversion = "1"'],
    ['a version of its own in an alternative', '[[or]]\n[[or.requires]]\nname = "a"\nversion = "1"'],
    ['an empty name', '[[provides]]\nname = ""'],
    ['no name', '[[requires]]\n'],
  ] as const) {
    it(`refuses ${what}`, () =>
      assert.throws(() => parseBuildPlan(text, 'plan'), { code: 'DOCUMENT_INVALID' }))
  }
})
