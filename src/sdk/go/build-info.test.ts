import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { componentsOfGo, parseGoBuildInfo } from './build-info.ts'

const varint = (value: number) => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7])
const text = (value: string) => [...varint(value.length), ...Buffer.from(value)]

/** A program as the Go linker makes it, as far as it is looked at. */
function program(go: string, lines: readonly string[][], flags = 2, at = 64): Buffer {
  const modules = `${'<'.repeat(16)}${lines.map(line => `${line.join('\t')}\n`).join('')}${'>'.repeat(16)}`
  const header = Buffer.alloc(32)
  header.write('\xff Go buildinf:', 'latin1')
  header[14] = 8
  header[15] = flags
  return Buffer.concat([
    Buffer.alloc(at, 'x'),
    header,
    Buffer.from(text(go)),
    Buffer.from(text(modules)),
    Buffer.alloc(9),
  ])
}

const LINES = [
  ['path', 'example.com/shop/cmd/till'],
  ['mod', 'example.com/shop', '(devel)', ''],
  ['dep', 'github.com/Azure/go-autorest', 'v1.2.0', 'h1:a'],
  ['dep', 'example.com/old', 'v0.1.0'],
  ['=>', 'example.com/new', 'v0.2.0', 'h1:b'],
  ['dep', 'example.com/near', 'v0.3.0'],
  ['=>', './near', ''],
  ['build', '-trimpath=true'],
]

describe('build information of Go programs', () => {
  it('tells the release, the package and the modules, replaced ones as what replaced them', () => {
    assert.deepEqual(parseGoBuildInfo(program('go1.26.8', LINES)), {
      go: 'go1.26.8',
      path: 'example.com/shop/cmd/till',
      main: { path: 'example.com/shop', version: '(devel)' },
      modules: [
        { path: 'github.com/Azure/go-autorest', version: 'v1.2.0' },
        { path: 'example.com/new', version: 'v0.2.0' },
        { path: 'example.com/near', version: '(devel)' },
      ],
    })
  })

  it('is not there in other files, in older programs, or where it is cut short', () => {
    const whole = program('go1.26.8', LINES)
    assert.equal(parseGoBuildInfo(Buffer.from('#!/bin/sh\n')), undefined)
    assert.equal(parseGoBuildInfo(program('go1.17', LINES, 0)), undefined)
    assert.equal(parseGoBuildInfo(program('go1.26.8', LINES, 2, 65)), undefined)
    for (let length = 64; length < whole.length - 9; length++)
      assert.equal(parseGoBuildInfo(whole.subarray(0, length)), undefined, String(length))
  })

  it('becomes components: own modules, the standard library with its CPE, all others, each once', () => {
    const info = parseGoBuildInfo(program('go1.26.8 X:nogreenteagc', LINES)) ?? assert.fail()
    const found = componentsOfGo([info, info])
    assert.deepEqual(
      found.map(({ type, purl }) => `${type} ${purl}`),
      [
        'application pkg:golang/example.com/shop',
        'library pkg:golang/stdlib@1.26.8',
        'library pkg:golang/github.com/Azure/go-autorest@v1.2.0',
        'library pkg:golang/example.com/new@v0.2.0',
        'library pkg:golang/example.com/near',
      ],
    )
    assert.deepEqual(found[1]?.cpes, ['cpe:2.3:a:golang:go:1.26.8:*:*:*:*:*:*:*'])
  })
})
