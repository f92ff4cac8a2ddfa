import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { checkout, type RunOptions, type Story, story } from '../support/cli.ts'

/**
 * Builds one app again and again, with one thing changed each time (the axes of reproducible-builds.org that apply), and compares digests. The lock
 * file travels with the source, as it does with people who commit it.
 */
const isRoot = process.getuid?.() === 0

async function digestOf(place: Story, words: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await place.slipway(['build', 'same', ...words], options)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/)
  return stdout.trim()
}

function copyApp(place: Story, name: string, from = join(checkout, 'samples/shell/procfile')): string {
  const directory = join(place.directory, name)
  mkdirSync(join(directory, '..'), { recursive: true })
  cpSync(from, directory, { recursive: true })
  place.own(name)
  return directory
}

describe('the digest of an image', () => {
  it('is the same whatever is not the source', async () => {
    using place = story()
    const app = copyApp(place, 'one/app')
    const first = await digestOf(place, ['--path', app])
    const lock = readFileSync(join(app, 'slipway.lock'), 'utf8')

    const elsewhere = copyApp(place, 'quite/another directory', app)
    const axes: [string, readonly string[], RunOptions][] = [
      ['with what the last build kept', ['--path', app], {}],
      ['without what the last build kept', ['--path', app, '--clear-cache'], {}],
      ['from another directory', ['--path', elsewhere], {}],
      ['from inside the directory', [], { cwd: app }],
      ['in another time zone', ['--path', app, '--clear-cache'], { env: { TZ: 'Pacific/Kiritimati' } }],
      ['in another locale', ['--path', app, '--clear-cache'], { env: { LANG: 'tr_TR.UTF-8', LC_ALL: 'C' } }],
      [
        'with other variables of the caller',
        ['--path', app, '--clear-cache'],
        { env: { FOO: 'bar', MAVEN_OPTS: '-Xmx1g', HOSTNAME: 'elsewhere' } },
      ],
    ]
    for (const [what, words, options] of axes) {
      assert.equal(await digestOf(place, words, options), first, what)
      assert.equal(readFileSync(join(app, 'slipway.lock'), 'utf8'), lock, `slipway.lock, ${what}`)
    }
  })

  it('is the same under another umask, with a state of its own, and by another user', async () => {
    using place = story()
    const app = copyApp(place, 'app')
    const first = await digestOf(place, ['--path', app])

    const strict = await place.run('sh', [
      '-c',
      `umask 077; cp -r "${app}" "${place.directory}/strict"; exec "${checkout}/slipway" build same --path "${place.directory}/strict" --clear-cache`,
    ])
    assert.equal(strict.stdout.trim(), first, strict.stderr)
    const open = await place.run('sh', [
      '-c',
      `umask 000; cp -r "${app}" "${place.directory}/open"; exec "${checkout}/slipway" build same --path "${place.directory}/open" --clear-cache`,
    ])
    assert.equal(open.stdout.trim(), first, open.stderr)

    // Where the tests run as root, by root, too: in a state directory of its own, as root in a namespace has no more rights in
    // one of somebody else than others have. Both at once, because a new state makes every base anew.
    using other = story({ fresh: true })
    const theirs = copyApp(other, 'app', app)
    const state = mkdtempSync(join(tmpdir(), 'slipway-root-'))
    const asRoot = isRoot ? { uid: 0, env: { SLIPWAY_HOME: state } } : {}
    const digest = await digestOf(other, ['--path', theirs], asRoot).finally(() =>
      rmSync(state, { recursive: true, force: true }),
    )
    assert.equal(digest, first, 'another state directory, and root')
  })

  it('changes with the source, and is that of the commit, not of the clock', async () => {
    using place = story()
    const app = copyApp(place, 'app')
    const first = await digestOf(place, ['--path', app])
    writeFileSync(join(app, 'watch.sh'), `${readFileSync(join(app, 'watch.sh'), 'utf8')}# changed\n`)
    assert.notEqual(await digestOf(place, ['--path', app]), first)

    const created = async () =>
      JSON.parse((await place.slipway(['inspect', 'same', '--json'])).stdout).local_info.created
    assert.equal(await created(), '1980-01-01T00:00:01Z')
    const git = await place.run(
      'sh',
      [
        '-c',
        `cd "${app}" && git init -q && git add . && git -c user.name=a -c user.email=a@example.com commit -q -m x --date 2020-02-02T02:02:02Z`,
      ],
      {
        env: { GIT_COMMITTER_DATE: '2020-02-02T02:02:02Z' },
      },
    )
    assert.equal(git.code, 0, git.stderr)
    await digestOf(place, ['--path', app])
    assert.equal(await created(), '2020-02-02T02:02:02Z')
    await digestOf(place, ['--path', app], { env: { SOURCE_DATE_EPOCH: '86400' } })
    assert.equal(await created(), '1970-01-02T00:00:00Z')
  })
})
