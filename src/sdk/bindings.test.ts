import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { readBindings } from './bindings.ts'

async function write(root: string, name: string, entries: Record<string, string>): Promise<void> {
  await mkdir(join(root, name), { recursive: true })
  for (const [entry, text] of Object.entries(entries)) await writeFile(join(root, name, entry), text)
}

describe('bindings', () => {
  it('are read from the first root that is there', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const [first, second] = [join(directory.path, 'a'), join(directory.path, 'b')] as const
    await write(second, 'settings', {
      type: 'Maven\n',
      provider: 'x',
      'settings.xml': ' <a/> \n',
      '..hidden': '',
      '.netrc': 'machine a',
    })
    await write(second, 'nothing', { 'settings.xml': '' })
    const bindings = await readBindings([undefined, first, second])
    const only = bindings.only('maven')
    assert.deepEqual(
      [only?.name, only?.type, only?.provider, only?.entries],
      ['settings', 'Maven', 'x', ['.netrc', 'settings.xml']],
    )
    assert.equal(await only?.read('settings.xml'), '<a/>')
    assert.equal(only?.path('type'), undefined)
    assert.equal([...bindings].length, 1)

    await write(first, 'other', { type: 'other' })
    assert.equal((await readBindings([first, second])).only('maven'), undefined)
  })

  it('may be mounted as Kubernetes does it, by links', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    await write(join(directory.path, 'ca'), '..data', { type: 'ca-certificates', pem: 'x' })
    for (const name of ['type', 'pem']) await symlink(`..data/${name}`, join(directory.path, 'ca', name))
    const bindings = await readBindings([directory.path])
    assert.deepEqual(
      bindings.ofType('CA-certificates').map(({ entries }) => entries),
      [['pem']],
    )
  })

  it('are not chosen among', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    await write(directory.path, 'a', { type: 'maven' })
    await write(directory.path, 'b', { type: 'maven' })
    const bindings = await readBindings([directory.path])
    assert.equal(bindings.ofType('maven').length, 2)
    assert.throws(() => bindings.only('maven'), { code: 'BINDINGS_AMBIGUOUS', why: /a, b/ })
  })
})
