import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, lutimes, mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { silent, temporaryDirectory } from '#std'
import { openWorkspace } from './workspace.ts'

/** An app and a place for workspaces. `build` copies, lets a program at it, and keeps; `copy` only copies. */
async function ground() {
  const place = await temporaryDirectory(tmpdir(), 'workspace-test-')
  const at = (path: string) => join(place.path, path)
  await mkdir(at('app/src'), { recursive: true })
  await writeFile(at('app/src/Main.java'), 'class Main {}')
  await writeFile(at('app/pom.xml'), '<project/>')
  await symlink('pom.xml', at('app/link'))
  let builds = 0
  const open = async (clear = false) => {
    const to = at(`build-${builds++}`)
    await mkdir(to)
    // Later than any time of a file that a test makes, so that all count as settled.
    const began = (await stat(to, { bigint: true })).ctimeNs + 3_600_000_000_000n
    const workspace = await openWorkspace({
      ...{ from: at('app'), to, ignored: () => false, report: silent },
      ...{ home: at('home'), name: 'shop', clear, began },
    })
    return { to, workspace }
  }
  return {
    at,
    async build(program: (workspace: string) => Promise<unknown> = async () => {}, clear = false) {
      const { to, workspace } = await open(clear)
      await using _ = workspace
      const made = madeAt(to)
      // As long as the clock of the file system stands still nothing counts as untouched.
      await later(to)
      await workspace.begin()
      await program(to)
      await workspace.keep()
      return made
    },
    async copy() {
      const { to, workspace } = await open()
      await workspace[Symbol.asyncDispose]()
      return to
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  }
}

/** When the copy of a file was made; the number of its inode might be used again. */
function madeAt(workspace: string): bigint {
  return lstatSync(join(workspace, 'pom.xml'), { bigint: true }).ctimeNs
}

/** Waits until the file system's clock is well past the times of a directory. */
async function later(directory: string): Promise<void> {
  const before = (await stat(directory, { bigint: true })).ctimeNs
  for (;;) {
    await writeFile(`${directory}.clock`, '')
    if ((await stat(`${directory}.clock`, { bigint: true })).ctimeNs > before + 30_000_000n) return
  }
}

/** All that is in a directory, as text. */
function listing(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(path => {
      const stats = lstatSync(join(directory, path))
      const mode = stats.isSymbolicLink() ? 'link' : (stats.mode & 0o7777).toString(8)
      return `${path} ${mode} ${stats.isFile() ? readFileSync(join(directory, path), 'utf8') : ''}`
    })
}

const PLAIN = ['link link ', 'pom.xml 644 <project/>', 'src 755 ', 'src/Main.java 644 class Main {}']

describe('openWorkspace', () => {
  it('copies nothing again that nobody has touched', async () => {
    await using place = await ground()
    const first = await place.build()
    assert.equal(madeAt(await place.copy()), first)
  })

  it('copies all again after what is kept was taken away, and where it is told to forget', async () => {
    await using place = await ground()
    const first = await place.build()
    await rm(place.at('home/caches'), { recursive: true })
    const second = await place.build()
    assert.notEqual(second, first)
    assert.notEqual(await place.build(undefined, true), second)
    assert.deepEqual(listing(await place.copy()), PLAIN)
  })

  it('sees what changed in the source: contents, kinds, names', async () => {
    await using place = await ground()
    await place.build()
    await writeFile(place.at('app/pom.xml'), '<PROJECT/>')
    await rename(place.at('app/src/Main.java'), place.at('app/src/Moved.java'))
    await rm(place.at('app/link'))
    await mkdir(place.at('app/link'))
    await writeFile(place.at('app/link/inside'), 'x', { mode: 0o755 })
    assert.deepEqual(listing(await place.copy()), [
      'link 755 ',
      'link/inside 755 x',
      'pom.xml 644 <PROJECT/>',
      'src 755 ',
      'src/Moved.java 644 class Main {}',
    ])
  })

  it('leaves nothing of what a program did', async () => {
    await using place = await ground()
    await mkdir(place.at('outside'))
    await writeFile(place.at('outside/Main.java'), 'precious')
    await place.build(async workspace => {
      const times = lstatSync(join(workspace, 'pom.xml'))
      await writeFile(join(workspace, 'pom.xml'), '<pwned/> ')
      await utimes(join(workspace, 'pom.xml'), times.atime, times.mtime)
      await writeFile(join(workspace, 'more'), 'more')
      await rm(join(workspace, 'src'), { recursive: true })
      await symlink(place.at('outside'), join(workspace, 'src'))
      await rm(join(workspace, 'link'))
      await symlink('elsewhere', join(workspace, 'link'))
      await lutimes(join(workspace, 'link'), times.atime, times.mtime)
      await chmod(workspace, 0o555)
    })
    const copy = await place.copy()
    assert.deepEqual(listing(copy), PLAIN)
    assert.equal(lstatSync(join(copy, 'src')).isDirectory(), true)
    assert.equal(readFileSync(place.at('outside/Main.java'), 'utf8'), 'precious')
  })

  it('does not believe a record of an earlier start of the machine, nor one that is damaged', async () => {
    for (const change of [
      (text: string) => text.replace(/"boot":"[^"]*"/, '"boot":"another"'),
      (text: string) => text.slice(0, -20),
    ]) {
      await using place = await ground()
      const first = await place.build()
      const [cache] = readdirSync(place.at('home/caches'))
      const record = place.at(`home/caches/${cache}/workspace.json`)
      await writeFile(record, change(readFileSync(record, 'utf8')))
      const copy = await place.copy()
      assert.notEqual(madeAt(copy), first)
      assert.deepEqual(listing(copy), PLAIN)
    }
  })

  it('copies for itself while another build has what is kept', async () => {
    await using place = await ground()
    await place.build()
    const to = place.at('second')
    await place.build(async () => {
      await mkdir(to)
      const began = (await stat(to, { bigint: true })).ctimeNs
      await using _ = await openWorkspace({
        ...{ from: place.at('app'), to, ignored: () => false, report: silent },
        ...{ home: place.at('home'), name: 'shop', clear: false, began },
      })
      assert.deepEqual(listing(to), PLAIN)
    })
  })
})
