import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { silent, temporaryDirectory } from '#std'
import { examine } from './doctor.ts'

describe('an examination of the machine', () => {
  it('tells each finding as soon as it is known, however long others take', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const findings = examine({
      home: directory.path,
      userHome: directory.path,
      environment: {},
      report: silent,
      sources: { archive: () => new Promise(() => {}) },
    })
    const names: string[] = []
    for await (const { name } of findings) {
      names.push(name)
      if (names.length === 3) break
    }
    assert.deepEqual(names, ['Node.js', 'Linux', 'state directory'])
  })
})
