import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import * as promises from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import * as atOnce from './at-once.ts'
import { temporaryDirectory } from './files.ts'

describe('files at once', () => {
  it('are those of node:fs/promises, by the same names', () => {
    for (const name of Object.keys(atOnce)) assert.ok(name in promises, `node:fs/promises has no ${name}`)
  })

  it('do what is asked before they answer', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const path = join(directory.path, 'file')
    await atOnce.lstat('/')
    const writing = atOnce.writeFile(path, 'text', { flag: 'wx', mode: 0o600 })
    const reading = atOnce.readFile(path, 'utf8')
    await writing
    assert.equal(await reading, 'text')
    assert.deepEqual(await atOnce.readFile(path), Buffer.from('text'))
    assert.equal((await atOnce.stat(path, { bigint: true })).mode & 0o777n, 0o600n)
    const made = await atOnce.mkdtemp(join(directory.path, 'made-'))
    assert.deepEqual((await atOnce.readdir(directory.path)).length, 2)
    await atOnce.rm(made, { recursive: true })
    await atOnce.rm(made, { recursive: true, force: true })
  })

  it('fail as those do', async () => {
    const told = async (answer: Promise<unknown>) => {
      const { code, errno, path } = (await answer.catch(error => error)) as NodeJS.ErrnoException
      return { code, errno, path }
    }
    const nowhere = '/nowhere/at/all'
    assert.deepEqual(await told(atOnce.readFile(nowhere)), await told(promises.readFile(nowhere)))
    assert.deepEqual(await told(atOnce.stat(nowhere)), await told(promises.stat(nowhere)))
    assert.deepEqual(await told(atOnce.readdir(nowhere)), await told(promises.readdir(nowhere)))
    assert.deepEqual(await told(atOnce.rmdir(nowhere)), await told(promises.rmdir(nowhere)))
  })

  it('wait for nobody who might write into a FIFO', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const path = join(directory.path, 'fifo')
    execFileSync('mkfifo', [path])
    assert.equal(await atOnce.readFile(path, 'utf8'), '')
  })

  it('let timers and signals have their turn', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    // However busy the machine is: as many calls as take seconds.
    for (let calls = 0; turns < 3 && calls < 1_000_000; calls++) await atOnce.lstat('/')
    clearInterval(timer)
    assert.ok(turns >= 3, `${turns} turns`)
  })
})
