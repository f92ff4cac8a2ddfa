import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bindingsLine } from './spring-cloud-bindings.ts'

for (const [version, line] of [
  ['2.7.18', '1'],
  ['3.0.0', '2'],
  ['3.5.4.RELEASE', '2'],
  ['4.0.6', '2'],
  ['10.0', '2'],
] as const)
  it(`bindingsLine: Spring Boot ${version} goes with line ${line}`, () =>
    assert.equal(bindingsLine(version), line))
