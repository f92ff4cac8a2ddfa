import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  buildpack,
  built,
  files,
  greeting,
  imageName,
  inWords,
  PLAIN,
  refused,
} from '../support/buildpack.ts'
import { story } from '../support/cli.ts'

const isRoot = process.getuid?.() === 0

describe('a source directory', () => {
  it('with everything odd in it gives an image, and nothing outside of it is read', async () => {
    using place = story()
    const name = imageName()
    const path = greeting(place)
    const long = 'n'.repeat(255)
    symlinkSync('/etc/shadow', join(path, 'shadow'))
    symlinkSync('../..', join(path, 'up'))
    symlinkSync('nowhere', join(path, 'dangling'))
    symlinkSync('loop', join(path, 'loop'))
    execFileSync('mkfifo', [join(path, 'fifo')])
    if (isRoot) execFileSync('mknod', [join(path, 'device'), 'c', '1', '3'])
    const server = createServer()
    await new Promise<void>(done => server.listen(join(path, 'socket'), done))
    const odd = [
      'new\nline',
      '\u001b[2J\u001b]0;title\u0007',
      '-rf',
      '--',
      ' ',
      'a\\b',
      '"quoted"',
      long,
      'ünïcödé',
      '%s$(id)',
    ]
    for (const each of odd) writeFileSync(join(path, each), each)
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe, 0x80])]), 'bytes')
    writeFileSync(join(path, 'setuid'), '#!/bin/sh\n')
    mkdirSync(join(path, 'd/'.repeat(60)), { recursive: true })
    writeFileSync(join(path, 'd/'.repeat(60), 'deepest'), '')
    mkdirSync(join(path, ...Array(6).fill('m'.repeat(255))), { recursive: true })
    place.own('app')
    // Giving a file away takes these bits from it.
    chmodSync(join(path, 'setuid'), 0o6755)
    try {
      const build = `find . -perm /6000; readlink shadow up dangling loop; ls -b | wc -l; cat $'\\xff\\xfe\\x80'; echo\n${PLAIN}`
      const { said } = await built(place, [name, '--path', path, ...buildpack(place, 'odd', { build })])
      assert.doesNotMatch(said, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
      assert.match(said, /^\/etc\/shadow\n\.\.\/\.\.\nnowhere\nloop$/m)
      assert.doesNotMatch(said, /^\.\/setuid$/m)
      assert.match(said, /^bytes$/m)
      for (const kind of [/fifo is a FIFO/, /socket is a socket/, ...(isRoot ? [/device is a device/] : [])])
        assert.match(said, new RegExp(`Warning: ${kind.source}`))
      const run = await place.slipway(['run', name, '--', '--', $('greeting'), $('new\nline'), $(long)])
      assert.equal(run.stdout, `Ahoy\nnew\nline${long}`, run.stderr)
    } finally {
      server.close()
    }
  })

  it('with a file that may not be read says which, wherever it lies', async () => {
    using place = story()
    const path = greeting(place)
    const words = ['build', imageName(), '--path', path, ...buildpack(place, 'plain')]
    const more = Object.fromEntries(Array.from({ length: 300 }, (_, each) => [`more/${each}`, '']))
    files(place, 'app', { 'closed/file': '', 'a-file': '', ...more })
    for (const closed of ['a-file', 'closed', 'more/299']) {
      chmodSync(join(path, closed), 0)
      const said = await refused(place, 3, words)
      assert.match(said, new RegExp(`${closed} may not be read`))
      chmodSync(join(path, closed), 0o755)
    }
    writeFileSync(join(path, 'line\u001b[2J\nfeed'), '', { mode: 0 })
    place.own('app')
    chmodSync(join(path, 'line\u001b[2J\nfeed'), 0)
    assert.match(await refused(place, 3, words), /line\\u001b\[2J/)
    rmSync(join(path, 'line\u001b[2J\nfeed'))
    assert.equal((await place.slipway(words)).code, 0)
  })

  it('that is none, or a link to one, is told from one', async () => {
    using place = story()
    greeting(place)
    symlinkSync('app', join(place.directory, 'link'))
    symlinkSync('app/greeting', join(place.directory, 'file'))
    symlinkSync('nowhere', join(place.directory, 'dangling'))
    const words = buildpack(place, 'plain')
    await built(place, [imageName(), '--path', 'link', ...words])
    assert.match(await refused(place, 3, ['build', 'x', '--path', 'file', ...words]), /not a directory/)
    assert.match(await refused(place, 3, ['build', 'x', '--path', 'dangling', ...words]), /nothing at/)
  })

  it('that is written to all the time is copied or refused in words', async () => {
    using place = story()
    const path = greeting(place)
    files(place, 'app/busy', Object.fromEntries(Array.from({ length: 500 }, (_, each) => [`f${each}`, 'x'])))
    const words = ['build', imageName(), '--path', path, ...buildpack(place, 'plain')]
    const writer = place.run(
      'sh',
      [
        '-c',
        'while [ ! -e stop ]; do for i in 1 2 3 4 5 6 7 8 9; do rm -rf busy/f$i* busy/d$i; mkdir busy/d$i; echo $i >busy/f$i; echo y >>busy/f$i; rm -f busy/d$i/x; done; done',
      ],
      { cwd: path },
    )
    try {
      for (let round = 0; round < 6; round++) {
        const finished = await place.slipway(words)
        if (finished.code !== 0) assert.match(inWords(finished, 3), /changed|gone|written/)
      }
    } finally {
      writeFileSync(join(path, 'stop'), '')
      await writer
    }
    rmSync(join(path, 'stop'))
    assert.equal((await place.slipway(words)).code, 0)
  })

  it('with a repository is asked its time, and starts no program that the repository names', async t => {
    using place = story()
    const path = greeting(place)
    const git = (...words: string[]) =>
      place.run('git', ['-C', path, ...words], { env: { GIT_COMMITTER_DATE: '2020-02-02T02:02:02Z' } })
    const made = await git('init', '-q').catch(() => undefined)
    if (!made) return t.skip('there is no git')
    await git('add', '.')
    await git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'x')
    const name = imageName()
    const words = [name, '--path', path, ...buildpack(place, 'plain')]
    await built(place, words)
    const created = async () =>
      JSON.parse((await place.slipway(['inspect', name, '--json'])).stdout).local_info.created
    assert.equal(await created(), '2020-02-02T02:02:02Z')

    const trap = join(place.directory, 'trap')
    writeFileSync(trap, `#!/bin/sh\ntouch '${place.directory}/sprung'\n`)
    chmodSync(trap, 0o755)
    cpSync(join(path, '.git'), join(place.directory, 'kept'), { recursive: true })
    writeFileSync(
      join(path, '.git/config'),
      `[core]\nrepositoryformatversion = 1\nfsmonitor = ${trap}\npager = ${trap}\nhooksPath = ${place.directory}\nsshCommand = ${trap}\neditor = ${trap}
[log]\nshowSignature = true\n[gpg]\nprogram = ${trap}\n[diff]\nexternal = ${trap}\n[extensions]\npartialClone = origin
[remote "origin"]\nurl = ${path}\nuploadpack = ${trap}\npromisor = true\npartialclonefilter = blob:none\n`,
    )
    const objects = readdirSync(join(path, '.git/objects')).filter(each => each.length === 2)
    await built(place, words)
    assert.ok(!existsSync(join(place.directory, 'sprung')))
    // Without its trees git would fetch them, as this repository says.
    for (const each of objects) rmSync(join(path, '.git/objects', each), { recursive: true })
    const head = (
      await place.run('git', ['--git-dir', join(place.directory, 'kept'), 'rev-parse', 'HEAD'])
    ).stdout.trim()
    const commit = join('objects', head.slice(0, 2), head.slice(2))
    mkdirSync(join(path, '.git/objects', head.slice(0, 2)))
    cpSync(join(place.directory, 'kept', commit), join(path, '.git', commit))
    place.own('app')
    await built(place, words)
    assert.ok(!existsSync(join(place.directory, 'sprung')), 'a program of the repository was started')
  })
})

/** `cat` is given names that begin with anything. */
const $ = (name: string) => `./${name}`
