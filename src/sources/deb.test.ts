import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { headerBlocks, readAll, temporaryDirectory } from '#std'
import { filesOf, makeDeb } from './deb.testing.ts'
import { readDeb, readDebControl } from './deb.ts'
import { openUnxzPool } from './unxz-pool.ts'
import { storedXz } from './xz.testing.ts'

async function withDeb<Result>(bytes: Uint8Array, work: (path: string) => Promise<Result>): Promise<Result> {
  await using place = await temporaryDirectory(tmpdir(), 'deb-test-')
  const path = join(place.path, 'x.deb')
  await writeFile(path, bytes)
  return await work(path)
}

async function contentsOf(path: string, threads = false): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  await using pool = openUnxzPool()
  for await (const { name, type, content } of readDeb(path, threads ? pool : undefined))
    found[name.toString()] = type === 'file' ? (await readAll(content)).toString() : type
  return found
}

const control = 'Package: x\nVersion: 1'

describe('Debian packages', () => {
  it('are read, with and without threads', async () => {
    const big = 'x'.repeat(200_000)
    const deb = await makeDeb({
      control,
      scripts: { postinst: '#!/bin/sh\n' },
      entries: filesOf({ 'a/': '', 'a/b': big }),
    })
    await withDeb(deb, async path => {
      for (const threads of [false, true])
        assert.deepEqual(await contentsOf(path, threads), { './a/': 'directory', './a/b': big })
      assert.deepEqual([...(await readDebControl(path)).keys()].toSorted(), ['control', 'postinst'])
    })
  })

  const damaged: readonly [string, (whole: Buffer) => Buffer][] = [
    ['cut in the middle', whole => whole.subarray(0, whole.length >> 1)],
    ['without a data.tar', whole => whole.subarray(0, whole.indexOf('data.tar'))],
    ['that is something else', () => Buffer.from('<html>please log in</html>')],
    ['that is empty', () => Buffer.alloc(0)],
    [
      'with a table that lies about sizes',
      whole => Buffer.from(whole.toString('latin1').replace(/(data\.tar\.xz.{37})\d{4}/, '$19999'), 'latin1'),
    ],
  ]
  for (const [what, damage] of damaged) {
    it(`${what} end in words`, async () => {
      const whole = await makeDeb({ control, entries: filesOf({ a: 'x'.repeat(2000) }) })
      await withDeb(damage(whole), path => assert.rejects(contentsOf(path), { code: 'PACKAGE_MALFORMED' }))
    })
  }

  it('with damaged compression end in words, and the next one is read', async () => {
    const whole = await makeDeb({ control, entries: filesOf({ a: 'b' }) })
    const broken = await makeDeb({ control, entries: [], data: Buffer.from('not xz at all') })
    for (const threads of [false, true]) {
      await withDeb(broken, path => assert.rejects(contentsOf(path, threads), { code: 'PACKAGE_MALFORMED' }))
      assert.deepEqual(await withDeb(whole, path => contentsOf(path, threads)), { './a': 'b' })
    }
  })

  it('that claim more than any disk should hold are refused before a byte of it is read', async () => {
    const size = 5 * 2 ** 30
    const claim = headerBlocks({ name: './big', type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size })
    const bomb = await makeDeb({
      control,
      entries: [],
      data: storedXz(Buffer.concat([claim, Buffer.alloc(1 << 16)])),
    })
    await withDeb(bomb, path =>
      assert.rejects(contentsOf(path), { code: 'TAR_MALFORMED', why: /unpacks to more than/ }),
    )
  })

  it('that are given up early do not stop the next', async () => {
    const whole = await makeDeb({ control, entries: filesOf({ a: 'x'.repeat(300_000), b: 'y' }) })
    await withDeb(whole, async path => {
      for await (const entry of readDeb(path)) if (entry.name.toString() === './a') break
      assert.equal((await contentsOf(path))['./b'], 'y')
    })
  })
})
