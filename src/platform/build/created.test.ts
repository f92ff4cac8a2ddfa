import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { createdTime } from './created.ts'

const { PATH } = process.env

/** A repository with a commit that touches `app` in 2020, and one that does not in 2021. */
function commit(directory: string): void {
  const git = (date: string, ...words: string[]) => {
    const env = { PATH, HOME: directory, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date }
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...words], {
      cwd: directory,
      env,
    })
  }
  mkdirSync(join(directory, 'app'))
  writeFileSync(join(directory, 'app/file'), '1')
  git('', 'init', '-q')
  git('', 'add', '.')
  git('2020-01-01T00:00:00Z', 'commit', '-q', '-m', 'app')
  writeFileSync(join(directory, 'other'), '1')
  git('', 'add', '.')
  git('2021-01-01T00:00:00Z', 'commit', '-q', '-m', 'other')
}

describe('createdTime', () => {
  it('is SOURCE_DATE_EPOCH, else that of the last commit that touched the app, else 1980', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'created-')
    assert.deepEqual(await createdTime(directory.path, { PATH }), {
      seconds: 315532801,
      because: 'no commit',
    })
    commit(directory.path)
    const app = join(directory.path, 'app')
    assert.deepEqual(await createdTime(app, { PATH }), { seconds: 1577836800, because: 'last commit' })
    assert.equal((await createdTime(directory.path, { PATH })).seconds, 1609459200)
    assert.deepEqual(await createdTime(app, { PATH, SOURCE_DATE_EPOCH: '5' }), {
      seconds: 5,
      because: 'SOURCE_DATE_EPOCH',
    })
    await assert.rejects(createdTime(app, { SOURCE_DATE_EPOCH: 'now' }), {
      code: 'SOURCE_DATE_EPOCH_INVALID',
      exitCode: 3,
    })
  })

  it('is the same where the checkout belongs to another user', {
    skip: process.getuid?.() !== 0 && 'only root can give files away',
  }, async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'created-')
    commit(directory.path)
    for (const name of readdirSync(directory.path, { recursive: true, encoding: 'utf8' }))
      chownSync(join(directory.path, name), 1500, 1500)
    chownSync(directory.path, 1500, 1500)
    assert.equal((await createdTime(directory.path, { PATH })).seconds, 1609459200)
  })
})
