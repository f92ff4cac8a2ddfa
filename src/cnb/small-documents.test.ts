import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseGroup, printGroup } from './group.ts'
import { parseProjectMetadata, printProjectLabel, printProjectMetadata } from './project-metadata.ts'
import { parseReport, printReport } from './report.ts'
import { findRunImage, parseRun, printRun, sameImage } from './run.ts'
import { parseStore, printStore } from './store.ts'

describe('group.toml', () => {
  it('is read and printed', () => {
    const text =
      '[[group]]\nid = "a/b"\nversion = "1"\napi = "0.10"\nhomepage = "h"\n\n[[group-extensions]]\nid = "a/e"\nversion = "1"\napi = "0.10"\n'
    assert.equal(printGroup(parseGroup(text, 'x')), text)
    assert.throws(() => parseGroup('[[group]]\nid = "a"\nversion = "1"\napi = "0.2"', 'x'), { exitCode: 12 })
  })
})

describe('run.toml', () => {
  it('is read, printed and searched', () => {
    const text =
      '[[images]]\nimage = "r.example/run:1"\nmirrors = [ "m.example/run:1" ]\n\n[[images]]\nimage = "run"\n'
    const images = parseRun(text, 'x')
    assert.equal(printRun(images), text)
    assert.equal(findRunImage(images, 'm.example/run:1@sha256:00')?.image, 'r.example/run:1')
    assert.equal(findRunImage(images, 'index.docker.io/library/run:latest')?.image, 'run')
    assert.equal(findRunImage(images, 'run:2'), undefined)
  })

  const rows: [string, string, boolean][] = [
    ['a/b', 'docker.io/a/b:latest', true],
    ['localhost/a', 'localhost/a:latest', true],
    ['localhost:5000/a', 'localhost:5000/a:latest', true],
    ['localhost:5000/a', 'a', false],
    ['a@sha256:00', 'a', true],
    ['a:1', 'a:2', false],
  ]
  for (const [a, b, same] of rows) it(`${a} and ${b}: ${same}`, () => assert.equal(sameImage(a, b), same))
})

describe('report.toml', () => {
  it('is printed and read', () => {
    const report = { tags: ['a:1', 'a:2'], digest: 'sha256:0', manifestSize: 5 }
    const text = printReport(report)
    assert.equal(text, '[image]\ntags = [ "a:1", "a:2" ]\ndigest = "sha256:0"\nmanifest-size = 5\n')
    assert.deepEqual(parseReport(text, 'x'), report)
  })
})

describe('project-metadata.toml', () => {
  it('becomes a label with sorted keys', () => {
    const text =
      '[source]\ntype = "git"\n\n[source.version]\ndescribe = "v1"\ncommit = "c"\n\n[source.metadata]\nurl = "u"\n'
    const metadata = parseProjectMetadata(text, 'x')
    assert.equal(printProjectMetadata(metadata), text)
    assert.equal(
      printProjectLabel(metadata),
      '{"source":{"type":"git","version":{"commit":"c","describe":"v1"},"metadata":{"url":"u"}}}',
    )
    assert.equal(printProjectLabel(parseProjectMetadata('', 'x')), '{}')
  })
})

describe('store.toml', () => {
  it('is read and printed', () => {
    const text = '[metadata]\nseen = "yes"\n'
    assert.equal(printStore(parseStore(text, 'x')), text)
    assert.deepEqual(parseStore('', 'x'), { metadata: {} })
  })
})
