import assert from 'node:assert/strict'
import { lstat, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { type Planned, zipOf } from '../std/zip.testing.ts'
import { explodeZip } from './explode.ts'

async function exploded(entries: readonly Planned[], use: (app: string, root: string) => Promise<void>) {
  await using directory = await temporaryDirectory(tmpdir())
  const file = join(directory.path, 'app.zip')
  await writeFile(file, zipOf(entries))
  const app = join(directory.path, 'app')
  await explodeZip(file, app)
  await use(app, directory.path)
}

describe('explodeZip', () => {
  it('writes files with one of two modes, whatever the archive says', async () => {
    await exploded(
      [
        ['bin/run', 'x', 0o104777],
        ['lib/', '', 0o040700],
        ['lib/a.txt', 'a', 0o100600],
      ],
      async app => {
        const modes = ['bin', 'bin/run', 'lib', 'lib/a.txt'].map(
          async path => (await lstat(join(app, path))).mode & 0o7777,
        )
        assert.deepEqual(await Promise.all(modes), [0o755, 0o755, 0o755, 0o644])
        assert.equal(await readFile(join(app, 'lib/a.txt'), 'utf8'), 'a')
      },
    )
  })

  it('makes links that stay inside, after everything else', async () => {
    await exploded(
      [
        ['current', 'v1', 0o120777],
        ['v1/a', 'a'],
      ],
      async app => {
        assert.equal(await readlink(join(app, 'current')), 'v1')
        assert.equal(await readFile(join(app, 'current/a'), 'utf8'), 'a')
      },
    )
  })

  it('takes the first of two entries with one name', async () => {
    await exploded(
      [
        ['a', 'first'],
        ['./a', 'second'],
      ],
      async app => assert.equal(await readFile(join(app, 'a'), 'utf8'), 'first'),
    )
  })

  const hostile: [string, readonly Planned[]][] = [
    ['a name that climbs', [['../out', 'x']]],
    ['a name that climbs further on', [['a/../../out', 'x']]],
    ['an absolute name', [['/tmp/out', 'x']]],
    ['a backslash', [['..\\out', 'x']]],
    ['a link that leads out', [['l', '../..', 0o120777]]],
    ['an absolute link', [['l', '/etc', 0o120777]]],
    [
      'a file below a link',
      [
        ['l', 'd', 0o120777],
        ['l/out', 'x'],
      ],
    ],
    [
      'a file below a file',
      [
        ['f', 'x'],
        ['f/out', 'x'],
      ],
    ],
  ]
  for (const [what, entries] of hostile) {
    it(`refuses ${what}, and writes nothing beside the app`, async () => {
      await using directory = await temporaryDirectory(tmpdir())
      const file = join(directory.path, 'app.zip')
      await writeFile(file, zipOf(entries))
      await assert.rejects(explodeZip(file, join(directory.path, 'app')), { code: 'ARCHIVE_REFUSED' })
      assert.deepEqual(
        (await readdir(directory.path)).sort().filter(name => name !== 'app'),
        ['app.zip'],
      )
    })
  }
})
