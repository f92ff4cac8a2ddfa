import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buildpack, built, files, greeting, imageName, PLAIN, refused } from '../support/buildpack.ts'
import { type Story, story } from '../support/cli.ts'

describe('what a build says', () => {
  it('is its phases in order, with the digest alone on stdout', async () => {
    using place = story()
    const app = greeting(place)
    const { said } = await built(place, [imageName(), '--path', app, ...buildpack(place, 'plain')])
    assert.deepEqual(said.match(/(?<====> )[A-Z]+/g), [
      'ANALYZING',
      'DETECTING',
      'RESTORING',
      'BUILDING',
      'EXPORTING',
    ])
    assert.match(said, /^story\/plain 1\.0\.0$/m)
    assert.match(said, /^Successfully built image stories\/\S+$/m)
    assert.ok(!said.includes('\u001b'), 'no colours where nobody sees them')
  })

  it('is nothing but the digest with --quiet, and more with --verbose', async () => {
    using place = story()
    const app = greeting(place)
    const words = [imageName(), '--path', app, ...buildpack(place, 'loud', { build: `echo Loud\n${PLAIN}` })]
    const quiet = await built(place, ['--quiet', ...words])
    assert.equal(quiet.said, '')
    const verbose = await built(place, ['--verbose', ...words])
    assert.match(verbose.said, /^Loud$/m)
    assert.match(verbose.said, /Running build for buildpack story\/loud@1\.0\.0/)
    assert.equal(quiet.digest, verbose.digest)
  })

  it('has no colours on a terminal with NO_COLOR, and lets a buildpack do nothing but colour', async t => {
    using place = story()
    const app = greeting(place)
    const build = `printf '\\033[31mred\\033[0m \\033]0;title\\007\\033[2J\\n'\n${PLAIN}`
    const words = ['build', imageName(), '--path', app, ...buildpack(place, 'red', { build })]
    const command = [join(import.meta.dirname, '../../slipway'), ...words].join(' ')
    const typed = (env: Record<string, string>) =>
      place.run('script', ['-qec', command, '/dev/null'], { env: { TERM: 'xterm', ...env } })
    const colourful = await typed({}).catch(() => undefined)
    if (!colourful) return t.skip('there is no script(1) to make a terminal with')
    assert.equal(colourful.code, 0, colourful.stdout)
    assert.ok(colourful.stdout.includes('\u001b[31mred'), colourful.stdout)
    assert.ok(!colourful.stdout.includes('\u001b]0;'))
    assert.ok(!colourful.stdout.includes('\u001b[2J'))
    const plain = await typed({ NO_COLOR: '1' })
    assert.equal(plain.code, 0, plain.stdout)
    assert.doesNotMatch(plain.stdout, /\u001b\[[0-9;]*m/)
  })
})

describe('an image', () => {
  it('needs no launcher for a program that is started directly', async () => {
    using place = story()
    const name = imageName()
    await built(place, [name, '--path', greeting(place), ...buildpack(place, 'plain')])
    const { kinds } = await inspect(place, name)
    assert.ok(!kinds.includes('launcher'))
    assert.equal((await place.slipway(['run', name])).stdout, 'Ahoy\n')
    const config = await configOf(place, name)
    assert.deepEqual([config.Entrypoint, config.Cmd], [['cat'], ['greeting']])
  })

  it('has one where a process needs it, or where it is asked for', async () => {
    using place = story()
    const app = greeting(place)
    const [always, shell] = [imageName(), imageName()]
    await built(place, [always, '--path', app, '--launcher', 'always', ...buildpack(place, 'plain')])
    assert.ok((await inspect(place, always)).kinds.includes('launcher'))
    assert.equal((await place.slipway(['run', always])).stdout, 'Ahoy\n')

    const build = PLAIN.replace('command = ["cat"]\nargs = ["greeting"]', 'command = "cat greeting; exit 7"')
    const words = ['--path', app, ...buildpack(place, 'shell', { build, api: '0.8' })]
    await built(place, [shell, ...words])
    assert.ok((await inspect(place, shell)).kinds.includes('launcher'))
    const run = await place.slipway(['run', shell])
    assert.deepEqual([run.code, run.stdout], [7, 'Ahoy\n'])
    const said = await refused(place, 62, ['build', imageName(), ...words, '--launcher', 'never'])
    assert.match(said, /web is started through a shell/)
    assert.match(said, /--launcher/)
  })

  it('runs on a base with neither shell nor C library', async () => {
    using place = story()
    const name = imageName()
    // A program that needs nothing: an ELF header and `exit(42)`.
    const build = `printf '${exitProgram()}' >answer; chmod +x answer
${PLAIN.replace('["cat"]', '["/workspace/answer"]').replace('args = ["greeting"]\n', '')}`
    const words = ['--run-image', 'slipway/run:static', ...buildpack(place, 'static', { build })]
    await built(place, [name, '--path', greeting(place), ...words])
    const run = await place.slipway(['run', name])
    assert.equal(run.code, process.arch === 'x64' ? 42 : 126, run.stderr)
    const shell = await place.slipway(['run', name, '--', 'sh'])
    assert.notEqual(shell.code, 0)
  })

  it('starts the process that was asked for, if there is such a one', async () => {
    using place = story()
    const name = imageName()
    const words = [
      name,
      '--path',
      greeting(place),
      ...buildpack(place, 'two', {
        build: `${PLAIN}cat >>"$CNB_LAYERS_DIR/launch.toml" <<'END'
[[processes]]
type = "task"
command = ["echo", "a task"]
END
`,
      }),
    ]
    await built(place, [...words, '--default-process', 'task'])
    assert.equal((await place.slipway(['run', name])).stdout, 'a task\n')
    assert.equal((await place.slipway(['run', name, '--process', 'web'])).stdout, 'Ahoy\n')
    const said = await refused(place, 62, ['build', ...words, '--default-process', 'nothing'])
    assert.match(said, /nothing/)
    assert.match(said, /web/)
    const none = await refused(place, 3, ['run', name, '--process', 'nothing'])
    assert.match(none, /web/)
  })

  it('has all of its names, or none', async () => {
    using place = story()
    const names = [imageName(), imageName(), `${imageName()}:2`]
    const words = ['--path', greeting(place), ...buildpack(place, 'plain')]
    const tags = [...names, names[1] as string].flatMap(name => ['--tag', name])
    const { digest } = await built(place, [names[0] as string, ...words, ...tags])
    for (const name of names) assert.equal((await inspect(place, name)).digest, digest)
    const { stdout } = await place.slipway(['images'])
    for (const name of names) assert.equal(stdout.split(`\n${name}`).length, 2, `${name} is listed once`)
    const other = imageName()
    await refused(place, 3, ['build', other, ...words, '--tag', 'No Name'])
    await refused(place, 3, ['inspect', other])
  })

  it('is put on an image of somebody else, which is left as it was', async () => {
    using place = story()
    const base = imageName()
    const name = imageName()
    await built(place, [base, '--path', greeting(place), ...buildpack(place, 'plain')])
    for (const words of [
      ['copy', base, 'docker-archive:base.tar'],
      ['copy', 'docker-archive:base.tar', `${base}:copy`],
    ])
      assert.equal((await place.slipway(words)).code, 0)
    const words = ['--path', greeting(place, 'other'), ...buildpack(place, 'plain')]
    await built(place, [name, ...words, '--run-image', `${base}:copy`])
    assert.equal((await place.slipway(['run', name])).stdout, 'Ahoy\n')
    const said = await refused(place, 3, ['build', name, ...words, '--run-image', 'nobody/has:this'])
    assert.match(said, /nobody\/has:this/)
  })

  it('depends on the execution environment as buildpacks say', async () => {
    using place = story()
    const name = imageName()
    const build = `echo "for $CNB_EXEC_ENV"
cat >"$CNB_LAYERS_DIR/launch.toml" <<'END'
[[processes]]
type = "tests"
command = ["echo", "testing"]
default = true
exec-env = ["test"]
[[processes]]
type = "web"
command = ["cat", "greeting"]
exec-env = ["production"]
END`
    const words = ['--path', greeting(place), ...buildpack(place, 'both', { build })]
    const { said } = await built(place, [name, ...words, '--exec-env', 'test'])
    assert.match(said, /^for test$/m)
    assert.equal((await place.slipway(['run', name])).stdout, 'testing\n')
    const production = await built(place, [name, ...words])
    assert.match(production.said, /^for production$/m)
  })
})

describe('running an image', () => {
  it('passes on arguments, variables, exit codes and signals', async () => {
    using place = story()
    const name = imageName()
    const script = `#!/bin/bash
trap 'echo "ended by TERM"; exit 9' TERM
[ "\${1:-}" = wait ] || { echo "$# $* $WORD"; exit 5; }
echo ready
while :; do sleep 0.1; done
`
    const app = files(place, 'app', { 'start.sh': script })
    const build = PLAIN.replace('["cat"]', '["bash", "start.sh"]').replace('["greeting"]', '["own"]')
    await built(place, [name, '--path', app, ...buildpack(place, 'args', { build })])
    const own = await place.slipway(['run', name, '-e', 'WORD=x y'])
    assert.deepEqual([own.code, own.stdout], [5, '1 own x y\n'])
    const given = await place.slipway(['run', name, '-e', 'WORD', '--', 'a b', '-c'], {
      env: { WORD: 'mine' },
    })
    assert.deepEqual([given.code, given.stdout], [5, '2 a b -c mine\n'])

    const child = place.start(['run', name, '--', 'wait'])
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', text => {
        output += text
        if (text.includes('ready')) child.kill('SIGTERM')
      })
    const code = await new Promise(done => child.once('close', done))
    assert.equal(output, 'ready\nended by TERM\n')
    assert.equal(code, 9)
  })
})

describe('typed wrongly', () => {
  it('a build says what is wrong before it does anything', async () => {
    using place = story()
    const app = greeting(place)
    writeFileSync(join(place.directory, 'file'), '')
    const cases: [exitCode: number, words: string[], expected: RegExp][] = [
      [3, ['build', 'Upper', '--path', app], /Upper/],
      [3, ['build', 'slipway/run:base', '--path', app], /slipway\/run:base/],
      [3, ['build', 'app', '--path', 'nothing'], /nothing/],
      [3, ['build', 'app', '--path', 'file'], /not a directory/],
      [3, ['build', 'app', '--path', app, '--buildpack', './nothing'], /buildpack\.toml/],
      [3, ['build', 'app', '--path', app, '--buildpack', 'no/such'], /no\/such/],
      [3, ['build', 'app', '--path', app, '--buildpack', 'no/such@1'], /no\/such@1/],
      [3, ['build', 'app', '--path', app, '--descriptor', 'nothing.toml'], /nothing\.toml/],
      [2, ['build', 'app', '--path', app, '--network', 'some'], /host.*none/],
      [3, ['build', 'app', '--path', app, '--env', '=x'], /--env NAME=VALUE/],
      [3, ['build', 'app', '--path', app, '--env-file', 'nothing'], /nothing/],
      [3, ['build', 'app', '--path', app, '--binding', 'nothing'], /nothing/],
      [3, ['build', 'app', '--path', app, '--run-image', 'slipway/run:nothing'], /run:nothing/],
      [3, ['run', 'nobody/has:this'], /nobody\/has:this/],
      [3, ['build', 'app', '--path', app, '--buildpack', app], /buildpack\.toml/],
    ]
    for (const [exitCode, words, expected] of cases)
      assert.match(await refused(place, exitCode, words), expected)
  })
})

interface Inspection {
  readonly digest: string
  readonly kinds: readonly string[]
}

async function inspect(place: Story, name: string): Promise<Inspection> {
  const { code, stdout, stderr } = await place.slipway(['inspect', name, '--json'])
  assert.equal(code, 0, stderr)
  const { digest, layers } = JSON.parse(stdout).local_info
  return { digest, kinds: layers.map(({ kind }: { kind: string }) => kind) }
}

async function configOf(place: Story, name: string): Promise<{ Entrypoint?: string[]; Cmd?: string[] }> {
  const { code, stderr } = await place.slipway(['copy', name, 'oci:copy'])
  assert.equal(code, 0, stderr)
  const read = async (path: string) => JSON.parse(readFileSync(join(place.directory, 'copy', path), 'utf8'))
  const blob = ({ digest }: { digest: string }) => read(`blobs/${digest.replace(':', '/')}`)
  const { manifests } = await read('index.json')
  return (await blob((await blob(manifests[0])).config)).config
}

/** Linux on x86-64: `mov edi, 42; mov eax, 60; syscall`, in octal for printf. */
function exitProgram(): string {
  const code = [0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]
  const bytes = Buffer.alloc(120 + code.length)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  bytes.writeUInt16LE(2, 16)
  bytes.writeUInt16LE(62, 18)
  bytes.writeUInt32LE(1, 20)
  bytes.writeBigUInt64LE(0x400078n, 24)
  bytes.writeBigUInt64LE(64n, 32)
  bytes.writeUInt16LE(64, 52)
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(1, 56)
  bytes.writeUInt32LE(1, 64)
  bytes.writeUInt32LE(5, 68)
  bytes.writeBigUInt64LE(0x400000n, 80)
  bytes.writeBigUInt64LE(0x400000n, 88)
  for (const at of [96, 104]) bytes.writeBigUInt64LE(BigInt(bytes.length), at)
  bytes.writeBigUInt64LE(0x1000n, 112)
  bytes.set(code, 120)
  return [...bytes].map(byte => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}
