import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { elf, type PlannedElf } from './elf.testing.ts'
import { readElf } from './elf.ts'
import { misfit, scanNeeds } from './needs.ts'
import type { Tree } from './tree.ts'

async function scan(
  files: Record<string, PlannedElf | string>,
  optional: string[] = [],
  arch: 'amd64' | 'arm64' = 'amd64',
) {
  await using directory = await temporaryDirectory(tmpdir())
  const tree: Tree = new Map()
  for (const [index, [path, planned]] of Object.entries(files).entries()) {
    const content = join(directory.path, String(index))
    await writeFile(content, typeof planned === 'string' ? planned : elf(planned))
    tree.set(path, { type: 'file', content, sha256: '', size: 0, executable: true })
  }
  return scanNeeds(tree, arch, optional, 'a runtime')
}

describe('ELF files', () => {
  it('tell what they are and what they want', () => {
    const facts = readElf(
      elf({
        needed: ['libc.so.6', 'libown.so'],
        soname: 'libx.so.1',
        runpath: '$ORIGIN:$ORIGIN/../lib',
        versions: [
          ['libc.so.6', 'GLIBC_2.34'],
          ['libc.so.6', 'GLIBC_2.2.5'],
        ],
      }),
    )
    assert.deepEqual(facts, {
      machine: 62,
      needed: ['libc.so.6', 'libown.so'],
      soname: 'libx.so.1',
      runpath: ['$ORIGIN', '$ORIGIN/../lib'],
      versionNeeds: [
        { from: 'libc.so.6', version: 'GLIBC_2.34' },
        { from: 'libc.so.6', version: 'GLIBC_2.2.5' },
      ],
    })
  })

  it('are told from everything else', () => {
    for (const other of ['', '#!/bin/sh\n', '\x7fELF', 'x'.repeat(100)])
      assert.equal(readElf(Buffer.from(other)), undefined)
  })

  it('never make the reader run off their end, whichever byte is wrong', () => {
    const good = elf({
      needed: ['libc.so.6'],
      soname: 'a',
      versions: [
        ['libc.so.6', 'GLIBC_2.34'],
        ['libm.so.6', 'GLIBC_2.1'],
      ],
    })
    const readable = (bytes: Buffer) => {
      try {
        readElf(bytes)
      } catch (error) {
        assert.doesNotMatch(String(error), /RangeError|TypeError|out of/)
      }
    }
    for (let at = 0; at < good.length; at++) {
      readable(good.subarray(0, at))
      for (const value of [0, 0x7f, 0xff]) {
        const bad = Buffer.from(good)
        bad[at] = value
        readable(bad)
      }
    }
  })
})

describe('needs', () => {
  it('are the highest symbol versions and the objects of the base contract', async () => {
    const needs = await scan({
      'bin/java': { needed: ['libjli.so', 'libc.so.6'], versions: [['libc.so.6', 'GLIBC_2.9']] },
      'lib/libjli.so': {
        needed: ['libz.so.1'],
        versions: [
          ['libc.so.6', 'GLIBC_2.34'],
          ['libstdc++.so.6', 'GLIBCXX_3.4.29'],
        ],
      },
      'bin/script': '#!/bin/sh\n',
    })
    assert.deepEqual(needs, { glibc: '2.34', glibcxx: '3.4.29', sonames: ['libc.so.6', 'libz.so.1'] })
  })

  it('that no base can meet are refused, unless the file serves an optional feature', async () => {
    const files = { 'lib/libsound.so': { needed: ['libasound.so.2'] } }
    await assert.rejects(scan(files), {
      code: 'RUNTIME_NOT_RELOCATABLE',
      message: /libsound\.so needs libasound\.so\.2/,
    })
    assert.deepEqual(await scan(files, ['lib/libsound.so']), { sonames: [] })
  })

  it('of another machine are refused', async () => {
    await assert.rejects(scan({ 'bin/x': {} }, [], 'arm64'), { message: /bin\/x is not a program for arm64/ })
    assert.deepEqual(await scan({ 'bin/x': { machine: 183 } }, [], 'arm64'), { sonames: [] })
  })

  it('are compared with what a base offers, number by number', () => {
    const on = (version: string, glibc: string) =>
      misfit({ glibc, sonames: [] }, { distro: 'debian', version })
    assert.deepEqual(on('12', '2.38'), { wants: 'glibc 2.38', has: 'glibc 2.36' })
    assert.equal(on('13', '2.38'), undefined)
    assert.equal(on('12', '2.4'), undefined)
    assert.equal(on('12.9', '2.36'), undefined)
    assert.equal(on('99', '9.99'), undefined)
  })
})
