import assert from 'node:assert/strict'
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { removeTree, temporaryDirectory } from './files.ts'

describe('removeTree', () => {
  it('removes what may not be written to, with names that are not UTF-8', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'files-')
    const root = join(directory.path, 'tree')
    for (let count = 0; count < 20; count++) {
      await mkdir(join(root, `${count}`, 'deep'), { recursive: true })
      const odd = Buffer.concat([Buffer.from(join(root, `${count}`, 'deep/')), Buffer.from([0xff])])
      await mkdir(odd)
      await writeFile(Buffer.concat([odd, Buffer.from('/file')]), '')
      await chmod(odd, 0o500)
      await chmod(join(root, `${count}`, 'deep'), 0o500)
    }
    await chmod(root, 0o500)
    await removeTree(root)
    await assert.rejects(stat(root), { code: 'ENOENT' })
  })

  it('is content with a tree that is not there', () => removeTree('/nowhere/at/all'))
})
