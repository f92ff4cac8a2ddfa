import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { buildpack, built, files, greeting, imageName, PLAIN, refused } from '../support/buildpack.ts'
import { type Story, story } from '../support/cli.ts'

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
