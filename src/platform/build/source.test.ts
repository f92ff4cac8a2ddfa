import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { recording, temporaryDirectory } from '#std'
import { copySource } from './source.ts'

async function copied(
  prepare: (from: string) => Promise<void>,
  ignored = (_path: Buffer, _directory: boolean) => false,
) {
  const place = await temporaryDirectory(tmpdir(), 'source-test-')
  const from = join(place.path, 'from')
  const to = join(place.path, 'to')
  await mkdir(from)
  await mkdir(to)
  await prepare(from)
  const report = recording()
  await copySource({ from, to, ignored, report })
  return { from, to, report, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() }
}

describe('copySource', () => {
  it('copies files, keeps who may execute, and forgets the umask', async () => {
    await using result = await copied(async from => {
      await mkdir(join(from, 'bin'), { mode: 0o700 })
      await writeFile(join(from, 'bin/start'), 'x', { mode: 0o700 })
      await writeFile(join(from, 'secretive'), 'y', { mode: 0o600 })
    })
    assert.equal(lstatSync(join(result.to, 'bin')).mode & 0o7777, 0o755)
    assert.equal(lstatSync(join(result.to, 'bin/start')).mode & 0o7777, 0o755)
    assert.equal(lstatSync(join(result.to, 'secretive')).mode & 0o7777, 0o644)
    assert.equal(readFileSync(join(result.to, 'secretive'), 'utf8'), 'y')
  })

  it('keeps links that lead out of the tree as links, and reads nothing through them', async () => {
    await using result = await copied(async from => {
      await symlink('/etc', join(from, 'etc'))
      await symlink('../../up', join(from, 'up'))
    })
    assert.equal(readlinkSync(join(result.to, 'etc')), '/etc')
    assert.equal(readlinkSync(join(result.to, 'up')), '../../up')
  })

  it('keeps names that are not UTF-8, byte for byte', async () => {
    const name = Buffer.from([0x66, 0xff, 0xfe, 0x6f])
    await using result = await copied(from =>
      writeFile(Buffer.concat([Buffer.from(`${from}/`), name]) as unknown as string, 'z'),
    )
    const [found] = readdirSync(result.to, { encoding: 'buffer' })
    assert.deepEqual(found, name)
  })

  it('does not copy the state of slipway, nor what is copied, into itself', async () => {
    await using place = await temporaryDirectory(tmpdir(), 'source-test-')
    const without = join(place.path, 'state')
    const to = join(without, 'builds/workspace')
    await mkdir(to, { recursive: true })
    await writeFile(join(place.path, 'kept'), '')
    await copySource({ from: place.path, to, ignored: () => false, without, report: recording() })
    assert.deepEqual(readdirSync(to), ['kept'])
  })

  it('says that a path is too long, and ends every copy before it fails', async () => {
    await using place = await temporaryDirectory(tmpdir(), 'source-test-')
    const [from, to] = [join(place.path, 'from'), join(place.path, 't'.repeat(250))]
    await mkdir(to)
    await mkdir(from)
    const deep = Array(15).fill('d'.repeat(255)).join('/')
    execFileSync('mkdir', ['-p', deep], { cwd: from })
    for (let each = 0; each < 50; each++) await writeFile(join(from, `a${each}`), '')
    await assert.rejects(copySource({ from, to, ignored: () => false, report: recording() }), {
      code: 'SOURCE_TOO_DEEP',
    })
  })

  it('leaves sockets and FIFOs out, and says so', async () => {
    await using result = await copied(async from => {
      execFileSync('mkfifo', [join(from, 'pipe')])
      const server = createServer().listen(join(from, 'sock'))
      await new Promise(done => server.once('listening', done))
      await writeFile(join(from, 'app'), '')
      // Closing removes the socket's file, so it stays open until the copy has been made.
      setImmediate(() => server.unref())
    })
    assert.deepEqual(readdirSync(result.to), ['app'])
    assert.match(result.report.lines.join('\n'), /pipe is a FIFO/)
    assert.match(result.report.lines.join('\n'), /sock is a socket/)
  })

  it('leaves out what is ignored, with all below it', async () => {
    await using result = await copied(
      async from => {
        await mkdir(join(from, 'target/classes'), { recursive: true })
        await writeFile(join(from, 'pom.xml'), '')
      },
      path => path.toString() === 'target',
    )
    assert.deepEqual(readdirSync(result.to), ['pom.xml'])
  })

  it('names the file that may not be read', {
    skip: process.getuid?.() === 0 && 'root may read everything',
  }, async () => {
    await assert.rejects(
      copied(async from => {
        await writeFile(join(from, 'locked'), '')
        await chmod(join(from, 'locked'), 0)
      }),
      { code: 'SOURCE_UNREADABLE', why: /locked/, exitCode: 3 },
    )
  })

  it('says that a missing directory is missing', async () => {
    await assert.rejects(
      copySource({ from: '/nowhere/at/all', to: tmpdir(), ignored: () => false, report: recording() }),
      { code: 'SOURCE_MISSING', fix: /--path/ },
    )
  })
})
