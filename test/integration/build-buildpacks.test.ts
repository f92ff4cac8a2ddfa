import assert from 'node:assert/strict'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buildpack, built, files, greeting, imageName, PLAIN, refused } from '../support/buildpack.ts'
import { story } from '../support/cli.ts'

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

function replace(directory: string, from: string, to: string): void {
  const file = join(directory, 'buildpack.toml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
}
