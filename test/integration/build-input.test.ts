import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
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
import { type Story, story } from '../support/cli.ts'

const isRoot = process.getuid?.() === 0

describe('detection', () => {
  it('that fits nothing names what each buildpack missed, and where something like it is', async () => {
    using place = story()
    files(place, 'shop', { 'api/pom.xml': '<project/>', 'README.md': '' })
    const said = await refused(place, 20, ['build', imageName(), '--path', 'shop'])
    assert.match(said, /no pom\.xml/)
    assert.match(said, /no Procfile/)
    assert.match(said, /Found pom\.xml in \.\/api: use --path shop\/api/)
    files(place, 'empty', {})
    assert.match(await refused(place, 20, ['build', imageName(), '--path', 'empty']), /--path/)
  })

  it('in which a buildpack fails by itself shows what that one said', async () => {
    using place = story()
    const words = buildpack(place, 'broken', { detect: 'echo "cannot go on"; exit 7' })
    const said = await refused(place, 21, ['build', imageName(), '--path', greeting(place), ...words])
    assert.match(said, /story\/broken@1\.0\.0.*cannot go on/)
  })

  it('says what is wrong with a buildpack that cannot be run', async () => {
    using place = story()
    const app = greeting(place)
    const cases: [name: string, spoil: (directory: string) => void, exitCode: number, expected: RegExp][] = [
      ['absent', directory => rmSync(join(directory, 'bin/detect')), 21, /bin\/detect/],
      ['mode', directory => chmodSync(join(directory, 'bin/detect'), 0o644), 21, /bin\/detect/],
      [
        'first-line',
        directory => writeFileSync(join(directory, 'bin/detect'), '#!/no/such\n'),
        21,
        /bin\/detect/,
      ],
      ['api', directory => replace(directory, '0.12', '0.99'), 12, /0\.99/],
      [
        'toml',
        directory => replace(directory, '[buildpack]', '[buildpack'),
        1,
        /buildpack\.toml[\s\S]*line 2/,
      ],
      ['id', directory => replace(directory, 'story/id', '../../etc'), 1, /\.\.\/\.\.\/etc/],
      ['target', directory => replace(directory, '"linux"', '"windows"'), 21, /windows/],
    ]
    for (const [name, spoil, exitCode, expected] of cases) {
      const words = buildpack(place, name)
      spoil(join(place.directory, name))
      assert.match(
        await refused(place, exitCode, ['build', imageName(), '--path', app, ...words]),
        expected,
        name,
      )
    }
  })
})

describe('a buildpack', () => {
  it('that fails is named, after all that it printed', async () => {
    using place = story()
    const build = 'echo "Compiling"; echo "line 3: no such word" >&2; exit 3'
    const words = ['build', imageName(), '--path', greeting(place), ...buildpack(place, 'fails', { build })]
    const said = await refused(place, 51, words)
    assert.match(said, /^Compiling\nline 3: no such word\n/m)
    assert.match(
      said,
      /story\/fails@1\.0\.0 could not build the app\n {2}Why: its bin\/build ended with exit code 3/,
    )
    const killed = buildpack(place, 'killed', { build: 'kill -9 $$' })
    assert.match(await refused(place, 51, ['build', imageName(), '--path', 'app', ...killed]), /SIGKILL|137/)
  })

  it('that leaves what cannot be read is told where, as it knows the place', async () => {
    using place = story()
    const app = greeting(place)
    const closed = `mkdir "$CNB_LAYERS_DIR/a"; printf '[types]\\nlaunch = true\\n' >"$CNB_LAYERS_DIR/a.toml"; echo >"$CNB_LAYERS_DIR/a/x"`
    const cases: [build: string, exitCode: number, expected: RegExp][] = [
      ['mkdir -p x/y; chmod 0 x', 62, / \/workspace\/x cannot be read/],
      ['chmod 0 .', 62, / \/workspace\/?\S* cannot be read/],
      [`${closed}; chmod 0 "$CNB_LAYERS_DIR/a/x"`, 62, / \/layers\/story_closed\/a\/x cannot be read/],
      [`${closed}; chmod 0 "$CNB_LAYERS_DIR"`, 52, / \/layers\/story_closed/],
    ]
    for (const [build, exitCode, expected] of cases) {
      const words = ['build', imageName(), '--path', app, ...buildpack(place, 'closed', { build })]
      const said = await refused(place, exitCode, words)
      assert.match(said, expected)
      assert.ok(!said.includes(place.home), said)
    }
  })

  it('that writes nonsense is named, and what is wrong with it', async () => {
    using place = story()
    const app = greeting(place)
    const write = (file: string, text: string) => `cat >"$CNB_LAYERS_DIR/${file}" <<'END'\n${text}\nEND`
    const layer = (toml: string) => `mkdir "$CNB_LAYERS_DIR/one"; ${write('one.toml', toml)}`
    const label = (key: string) => write('launch.toml', `[[labels]]\nkey = ${key}\nvalue = "x"`)
    const cases: [build: string, exitCode: number, expected: RegExp][] = [
      [write('launch.toml', '[[processes'), 52, /launch\.toml[\s\S]*line/],
      [write('launch.toml', '[[processes]]\ntype = "../../x"\ncommand = ["a"]'), 52, /\.\.\/\.\.\/x/],
      [write('launch.toml', '[[processes]]\ntype = "web"\ncommand = "a"'), 52, /command/],
      [layer('[types]\nlaunch = "yes"'), 52, /one\.toml/],
      [layer('[types]\nlaunch = true\n[types]'), 52, /one\.toml/],
      [layer('launch = true'), 52, /one\.toml/],
      [`ln -s /etc "$CNB_LAYERS_DIR/one"; ${write('one.toml', '[types]\nlaunch = true')}`, 62, /one/],
      [`ln -s /etc/passwd "$CNB_LAYERS_DIR/launch.toml"`, 52, /launch\.toml/],
      [`mkfifo "$CNB_LAYERS_DIR/launch.toml"`, 52, /launch\.toml/],
      [`mkdir "$CNB_LAYERS_DIR/store.toml"`, 52, /store\.toml/],
      [`head -c 50000000 /dev/zero >"$CNB_LAYERS_DIR/build.toml"`, 52, /build\.toml/],
      [write('build.toml', '[[unmet]]\nname = "never"'), 52, /never/],
      [`printf '[types]\\nlaunch = true\\n' >"$CNB_LAYERS_DIR/$(printf 'a\\033[31m').toml"`, 52, /a\\u001b/],
      [label('"io.buildpacks.lifecycle.metadata"'), 62, /io\.buildpacks\.lifecycle\.metadata/],
      [label('"io.buildpacks.build.metadata"'), 62, /io\.buildpacks\.build\.metadata/],
      [label('""'), 52, /label/],
    ]
    for (const [index, [build, exitCode, expected]] of cases.entries()) {
      const words = buildpack(place, 'nonsense', { build })
      const said = await refused(place, exitCode, ['build', imageName(), '--path', app, ...words])
      assert.match(said, expected, `${index}: ${build}`)
      assert.match(said, /story\/nonsense/, `${index}: ${build}`)
    }
    // The same buildpack, with all of these used rightly.
    const good = `${layer('[types]\nlaunch = true')}
${write('launch.toml', '[[labels]]\nkey = "a.b"\nvalue = "x"\n[[slices]]\npaths = ["greeting"]\n[[processes]]\ntype = "web"\ncommand = ["cat", "greeting"]')}
${write('store.toml', '[metadata]\na = 1')}`
    await built(place, [imageName(), '--path', app, ...buildpack(place, 'sense', { build: good })])
  })

  it('sees nothing of this machine', async () => {
    using place = story()
    const app = greeting(place)
    files(place, '.', { '.ssh/id': 'of the user' })
    const agent = createServer()
    const socket = join(place.directory, 'agent')
    await new Promise<void>(done => agent.listen(socket, done))
    try {
      const looks = [place.directory, place.home, join(place.home, 'images'), socket, '/root', '/etc/shadow']
      const build = `env
for path in ${looks.map(path => `'${path}'`).join(' ')}; do cat "$path" 2>/dev/null || ls -A "$path" 2>/dev/null || true; done
tr '\\0' '\\n' </proc/1/environ || true
ls /proc | grep -c '^[0-9]*$'
find / -xdev \\( -name id -o -name index.json -o -name '*.sock' \\) -not -path '/proc/*' -not -path '/usr/*' 2>/dev/null || true
grep -l . /platform/env/* 2>/dev/null || true
touch /etc/written /cnb/buildpacks/written /platform/written 2>/dev/null && echo "IT WROTE"
${PLAIN}`
      const secret = 'hunter2-of-the-environment'
      const env = { AWS_SECRET_ACCESS_KEY: secret, SSH_AUTH_SOCK: socket, GITHUB_TOKEN: secret }
      const { said } = await built(
        place,
        [imageName(), '--path', app, ...buildpack(place, 'curious', { build })],
        { env },
      )
      for (const hidden of [secret, socket, place.home, 'of the user', 'IT WROTE', 'SSH_AUTH_SOCK'])
        assert.ok(!said.includes(hidden), `${hidden} in\n${said}`)
      assert.match(said, /^HOME=\/home\/cnb$/m)
    } finally {
      agent.close()
    }
  })
})

describe('project.toml', () => {
  const list = `find . -type f | sort\n${PLAIN.replace('["greeting"]', '["kept"]')}`
  const app = (place: Story, project: string) =>
    files(place, 'app', {
      kept: 'kept\n',
      'left.log': '',
      'docs/left.md': '',
      'docs/deep/x.txt': '',
      'project.toml': `[_]\nschema-version = "0.2"\n${project}`,
    })

  it('says which files are part of the app', async () => {
    using place = story()
    const words = [imageName(), '--path', 'app', ...buildpack(place, 'list', { build: list })]
    app(place, '[io.buildpacks]\nexclude = ["*.log", "/docs/"]')
    const without = await built(place, words)
    assert.deepEqual(without.said.match(/^\.\/.*$/gm), ['./kept', './project.toml'])
    app(place, '[io.buildpacks]\ninclude = ["kept", "docs/**/*.txt"]')
    const only = await built(place, words)
    assert.deepEqual(only.said.match(/^\.\/.*$/gm), ['./docs/deep/x.txt', './kept'])
  })

  it('sets variables, over which --env wins, and --env over --env-file', async () => {
    using place = story()
    app(
      place,
      `[[io.buildpacks.build.env]]\nname = "A"\nvalue = "project"\n[[io.buildpacks.build.env]]\nname = "B"\nvalue = "project"
[[io.buildpacks.build.env]]\nname = "C"\nvalue = "project"`,
    )
    const build = `echo "got $A, $B, $C, $D and $E"\n${PLAIN}`
    files(place, 'settings', { env: '# words\nB=file\nC=file\n\nE=a=b c\n' })
    const options = ['--env-file', 'settings/env', '--env', 'C=flag', '--env', 'D']
    const words = [imageName(), '--path', 'app', ...options, ...buildpack(place, 'says', { build })]
    const { said } = await built(place, words, { env: { D: 'copied' } })
    assert.match(said, /^got project, file, flag, copied and a=b c$/m)
  })

  it('names buildpacks by id, by place and as a script', async () => {
    using place = story()
    buildpack(place, 'near', { build: `echo "near by"\n${PLAIN.replace('["greeting"]', '["kept"]')}` })
    app(
      place,
      `[[io.buildpacks.group]]\nuri = "../near"
[[io.buildpacks.group]]\nid = "story/inline"
[io.buildpacks.group.script]\napi = "0.10"\nshell = "/bin/bash"\ninline = "echo inline in $PWD"
[[io.buildpacks.group]]\nid = "slipway/procfile"
[[io.buildpacks.group]]\nid = "story/tests"\nexec-env = ["test"]
[io.buildpacks.group.script]\napi = "0.10"\ninline = "echo only in tests"`,
    )
    writeFileSync(join(place.directory, 'app/Procfile'), 'task: cat kept\n')
    const { said } = await built(place, [imageName(), '--path', 'app'])
    assert.match(said, /near by[\s\S]*inline in \/workspace[\s\S]*Process task/)
    assert.doesNotMatch(said, /only in tests/)
    const tests = await built(place, [imageName(), '--path', 'app', '--exec-env', 'test'])
    assert.match(tests.said, /only in tests/)
  })

  it('puts buildpacks before and after those of slipway', async () => {
    using place = story()
    const script = (word: string) =>
      `id = "story/${word}"\n[io.buildpacks.${word}.group.script]\napi = "0.10"\ninline = "echo it is ${word}"\n`
    app(place, `[[io.buildpacks.pre.group]]\n${script('pre')}[[io.buildpacks.post.group]]\n${script('post')}`)
    writeFileSync(join(place.directory, 'app/Procfile'), 'web: cat kept\n')
    const name = imageName()
    const { said } = await built(place, [name, '--path', 'app'])
    assert.match(said, /it is pre[\s\S]*Process web[\s\S]*it is post/)
    assert.equal((await place.slipway(['run', name])).stdout, 'kept\n')
  })

  it('is refused with the place of the mistake', async () => {
    using place = story()
    const words = buildpack(place, 'plain')
    const cases: [project: string, exitCode: number, expected: RegExp][] = [
      ['[_]\nschema-version = "9.9"', 3, /9\.9[\s\S]*0\.2/],
      [
        '[_]\nschema-version = "0.2"\n[io.buildpacks]\ninclude = ["a"]\nexclude = ["b"]',
        3,
        /include.*exclude/,
      ],
      ['[_]\nschema-version = "0.2"\n[[io.buildpacks.build.env]]\nname = "A B"\nvalue = ""', 3, /A B/],
      ['[_]\nschema-version = "0.2"\n[[io.buildpacks.build.env]]\nname = "A"\nvalue = 1', 3, /value/],
      ['[_]\nschema-version = "0.2"\n[io.buildpacks', 3, /project\.toml[\s\S]*line 3/],
      ['[_]\nschema-version = "0.2"\n[[io.buildpacks.group]]\nuri = "../none"', 3, /none/],
      ['[_]\nschema-version = "0.2"\n[[io.buildpacks.group]]\nid = "no/such"', 3, /no\/such/],
    ]
    for (const [project, exitCode, expected] of cases) {
      const path = files(place, 'app', { greeting: '', 'project.toml': project })
      const chosen = project.includes('group') ? [] : words
      assert.match(
        await refused(place, exitCode, ['build', imageName(), '--path', path, ...chosen]),
        expected,
      )
    }
    mkdirSync(join(place.directory, 'odd/project.toml'), { recursive: true })
    place.own('odd')
    assert.match(await refused(place, 3, ['build', imageName(), '--path', 'odd', ...words]), /project\.toml/)
  })

  it('of another version or with unknown words is read with a warning', async () => {
    using place = story()
    const words = [imageName(), '--path', 'app', ...buildpack(place, 'plain')]
    files(place, 'app', { greeting: 'Ahoy\n', 'project.toml': '[build]\nexclude = ["x"]\n[wrong]\na = 1\n' })
    const { said } = await built(place, words)
    assert.match(said, /Warning: .*project\.toml.*schema-version/)
    assert.match(said, /Warning: .*wrong/)
  })
})

describe('a service binding', () => {
  it('is there for the build and nowhere afterwards', async () => {
    using place = story({ fresh: false })
    const secret = 'hunter2-of-the-binding'
    files(place, 'secrets/db', { type: 'postgresql', password: secret })
    const build = `echo "a $(cat "$CNB_PLATFORM_DIR/bindings/db/type") of $(wc -c <"$CNB_PLATFORM_DIR/bindings/db/password") bytes"
! echo x 2>/dev/null >"$CNB_PLATFORM_DIR/bindings/db/password"
mkdir "$CNB_LAYERS_DIR/kept"; printf '[types]\\ncache = true\\nlaunch = true\\n' >"$CNB_LAYERS_DIR/kept.toml"; echo x >"$CNB_LAYERS_DIR/kept/file"
${PLAIN}`
    const words = [
      '--path',
      greeting(place),
      '--binding',
      'secrets/db',
      '--verbose',
      ...buildpack(place, 'binds', { build }),
    ]
    const { said } = await built(place, [imageName(), ...words])
    assert.match(said, new RegExp(`a postgresql of ${secret.length} bytes`))
    assert.ok(!said.includes(secret))
    for (const kept of ['images', 'caches', 'exports', 'builds', 'sandbox'])
      for (const { path, bytes } of everyFile(join(place.home, kept)))
        assert.ok(!bytes.includes(secret), `${path} has the secret`)
  })

  it('is refused where it cannot be used', async () => {
    using place = story()
    const words = ['build', imageName(), '--path', greeting(place), ...buildpack(place, 'plain')]
    files(place, 'b', { 'good/type': 'x', 'untyped/password': 'x', 'odd/type': 'x', 'odd/a b': '' })
    files(place, 'b/gone', { type: 'x' })
    symlinkSync('nowhere', join(place.directory, 'b/gone/link'))
    files(place, 'b/closed', { type: 'x', password: 'x' })
    chmodSync(join(place.directory, 'b/closed/password'), 0)
    place.own('b')
    const cases: [words: string[], expected: RegExp][] = [
      [['b/untyped'], /type/],
      [['b/odd'], /a b/],
      [['b/none'], /none/],
      [['B=b/good'], /lower-case/],
      [['b/good', 'good=b/good'], /"good"/],
      [['b/gone'], /link/],
      [['b/closed'], /password/],
    ]
    for (const [bindings, expected] of cases) {
      const options = bindings.flatMap(binding => ['--binding', binding])
      assert.match(await refused(place, 3, [...words, ...options]), expected)
    }
  })
})

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

function replace(directory: string, from: string, to: string): void {
  const file = join(directory, 'buildpack.toml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
}

/** Every file of a tree, unpacked where it is packed. */
function* everyFile(directory: string): Generator<{ path: string; bytes: Buffer }> {
  if (!existsSync(directory)) return
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* everyFile(path)
    else if (entry.isFile()) {
      const bytes = readFileSync(path)
      const packed = bytes[0] === 0x1f && bytes[1] === 0x8b
      yield { path, bytes: packed ? gunzipSync(bytes) : bytes }
    }
  }
}
