import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Plan,
  parseBuildpackPlan,
  parsePlan,
  printBuildpackPlan,
  printPlan,
  requiresFor,
  withoutMet,
} from './plan.ts'

const plan: Plan = [
  {
    providers: [
      { id: 'a/jdk', version: '1' },
      { id: 'a/other', version: '2' },
    ],
    requires: [
      { name: 'jdk', metadata: { build: true } },
      { name: 'jdk', metadata: {} },
    ],
  },
  { providers: [{ id: 'a/ext', version: '1', extension: true }], requires: [{ name: 'lib', metadata: {} }] },
]

describe('plan.toml', () => {
  it('is printed and read', () => {
    assert.equal(
      printPlan(plan.slice(0, 1)),
      `[[entries]]
[[entries.providers]]
id = "a/jdk"
version = "1"

[[entries.providers]]
id = "a/other"
version = "2"

[[entries.requires]]
name = "jdk"

[entries.requires.metadata]
build = true

[[entries.requires]]
name = "jdk"
`,
    )
    assert.deepEqual(JSON.parse(JSON.stringify(parsePlan(printPlan(plan), 'x'))), plan)
    assert.equal(printPlan([]), '')
    assert.deepEqual(parsePlan('', 'x'), [])
  })
})

describe('the plan of one buildpack', () => {
  const jdk = { id: 'a/jdk', version: '1' }

  it('has what it provides', () => {
    const requires = requiresFor(plan, jdk)
    assert.deepEqual(
      requires.map(({ name }) => name),
      ['jdk', 'jdk'],
    )
    assert.equal(printBuildpackPlan([]), '')
    assert.deepEqual(
      JSON.parse(JSON.stringify(parseBuildpackPlan(printBuildpackPlan(requires), 'x'))),
      requires,
    )
    assert.deepEqual(requiresFor(plan, { id: 'a/ext', version: '1' }), [])
  })

  it('is met once, and what is unmet goes to the next provider', () => {
    assert.deepEqual(withoutMet(plan, jdk, []), plan.slice(1))
    assert.deepEqual(withoutMet(plan, jdk, ['jdk']), plan)
  })
})
