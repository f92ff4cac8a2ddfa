import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import {
  parseBinding,
  parseVariable,
  readVariableFile,
  writePlatformDirectory,
} from './platform-directory.ts'

describe('platform directory', () => {
  it('holds each variable and each entry of a binding as a file, byte for byte', async () => {
    await using place = await temporaryDirectory(tmpdir(), 'platform-test-')
    const binding = join(place.path, 'maven')
    await mkdir(binding)
    await writeFile(join(binding, 'type'), 'maven')
    await writeFile(join(binding, 'settings.xml'), '<settings/>\n')
    await writeFile(join(binding, '..hidden'), 'no')
    await writeFile(join(binding, '.npmrc'), 'yes')
    const out = join(place.path, 'out')
    await writePlatformDirectory(out, { BP_JVM_VERSION: '17 ' }, [parseBinding(binding, '/')])
    assert.equal(readFileSync(join(out, 'env/BP_JVM_VERSION'), 'utf8'), '17 ')
    assert.equal(readFileSync(join(out, 'bindings/maven/settings.xml'), 'utf8'), '<settings/>\n')
    assert.equal(readFileSync(join(out, 'bindings/maven/.npmrc'), 'utf8'), 'yes')
    assert.throws(() => readFileSync(join(out, 'bindings/maven/..hidden')), { code: 'ENOENT' })
  })

  it('refuses a binding without a type, and one whose name is a path', async () => {
    await using place = await temporaryDirectory(tmpdir(), 'platform-test-')
    await assert.rejects(
      writePlatformDirectory(join(place.path, 'out'), {}, [{ name: 'empty', directory: place.path }]),
      { code: 'BINDING_INVALID', why: /"type"/ },
    )
    assert.throws(() => parseBinding('..=/tmp', '/'), { code: 'BINDING_INVALID' })
  })

  it('takes a variable without a value from the environment, as pack does', async () => {
    assert.deepEqual(parseVariable('A=b=c', {}), ['A', 'b=c'])
    assert.deepEqual(parseVariable('A', { A: 'x' }), ['A', 'x'])
    assert.equal(parseVariable('A', {}), undefined)
    assert.throws(() => parseVariable('../x=1', {}), { code: 'VARIABLE_INVALID', exitCode: 3 })
    await using place = await temporaryDirectory(tmpdir(), 'platform-test-')
    await writeFile(join(place.path, 'vars'), '# comment\n\nA=1\nB\n')
    assert.deepEqual(await readVariableFile(join(place.path, 'vars'), { B: '2' }), [
      ['A', '1'],
      ['B', '2'],
    ])
  })
})
