import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { printToml, removeTree, type TemporaryDirectory, temporaryDirectory } from '../../src/std/mod.ts'

/**
 * The reference launcher and ours start the same processes from the same layers: arguments, environment, working directory and exit code
 * have to agree. Needs Go, and the Go module of the reference from its module cache or proxy.
 */

const checkout = join(import.meta.dirname, '../..')
let directory: TemporaryDirectory
let missing: string | undefined

before(async () => {
  directory = await temporaryDirectory(tmpdir(), 'launcher-oracle-')
  const goBuild = (cwd: string, output: string, what: string) => {
    const env = { ...process.env, CGO_ENABLED: '0' }
    const words = ['build', '-o', join(directory.path, output), what]
    execFileSync('go', words, { cwd: join(checkout, cwd), env, stdio: 'pipe', timeout: 600_000 })
  }
  try {
    goBuild('test/oracle', 'reference', 'github.com/buildpacks/lifecycle/cmd/launcher')
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer }
    missing =
      code === 'ENOENT'
        ? 'there is no Go on this machine'
        : `the reference does not build: ${stderr ?? error}`
    return
  }
  goBuild('launcher', 'ours', '.')
  goBuild('test/support/probe', 'probe', '.')
})
after(() => directory[Symbol.asyncDispose]())

/** What an image holds and how it is started. File names that end in `*` are executable, `->` in a content makes a link. */
interface Case {
  readonly name: string
  readonly metadata?: object | string
  readonly layers?: Readonly<Record<string, string>>
  readonly app?: Readonly<Record<string, string>>
  readonly start: string
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Exit code that both have to end with; 0 by default. */
  readonly code?: number
  /** Needs a shell. */
  readonly shell?: boolean
}

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const buildpacks = [
  { id: 'new/one', version: '1', api: '0.12' },
  { id: 'old', version: '1', api: '0.8' },
]
const direct = (type: string, command: readonly string[], more: object = {}) => ({
  type,
  command,
  args: [] as string[],
  direct: true,
  'buildpack-id': 'new/one',
  ...more,
})

/** Runs a case with both launchers, one after the other at the same place, so that all paths are equal. */
function both(given: Case): [reference: Outcome, ours: Outcome] {
  return [run(given, 'reference'), run(given, 'ours')]
}

let serial = 0
function run(given: Case, launcher: 'reference' | 'ours'): Outcome {
  const root = join(directory.path, `case-${serial++}`)
  const place = join(directory.path, 'place')
  mkdirSync(root)
  symlinkSync(root, `${place}.new`)
  renameSync(`${place}.new`, place)
  const files = {
    ...Object.fromEntries(Object.entries(given.layers ?? {}).map(([name, text]) => [`layers/${name}`, text])),
    ...Object.fromEntries(Object.entries(given.app ?? {}).map(([name, text]) => [`app/${name}`, text])),
  }
  mkdirSync(join(root, 'app'), { recursive: true })
  mkdirSync(join(root, 'cnb/process'), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name.replace(/\*$/, ''))
    mkdirSync(dirname(path), { recursive: true })
    if (text.startsWith('-> ')) symlinkSync(text.slice(3).replace('PLACE', place), path)
    else writeFileSync(path, text.replaceAll('PLACE', place))
    if (name.endsWith('*')) chmodSync(path, 0o755)
  }
  const metadata = given.metadata ?? { buildpacks, processes: [] }
  if (metadata !== '-') {
    mkdirSync(join(root, 'layers/config'), { recursive: true })
    const text = typeof metadata === 'string' ? metadata : printToml(metadata as never)
    writeFileSync(join(root, 'layers/config/metadata.toml'), text.replaceAll('PLACE', place))
  }
  symlinkSync(join(directory.path, 'probe'), join(root, 'probe'))
  symlinkSync(join(directory.path, launcher), join(root, 'cnb/process', given.start))
  const { status, stdout, stderr } = spawnSync(join(place, 'cnb/process', given.start), given.args ?? [], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: `/cnb/process:${place}:/usr/bin:/bin:/cnb/lifecycle`,
      CNB_LAYERS_DIR: join(place, 'layers'),
      CNB_APP_DIR: join(place, 'app'),
      CNB_PLATFORM_API: '0.15',
      CNB_NO_COLOR: 'true',
      ...given.environment,
    },
  })
  return { code: status, stdout: stdout.replaceAll(root, place), stderr }
}

/** The probe's answer; what other programs printed is put beside it. Warnings of the launchers differ in words and place. */
function answer({ code, stdout }: Outcome) {
  const lines = stdout.split('\n').filter(line => !line.startsWith('Warning: '))
  const [probe, ...rest] = lines.toSorted((a, b) => Number(b.startsWith('{')) - Number(a.startsWith('{')))
  const found = probe?.startsWith('{"argv"') ? JSON.parse(probe) : undefined
  // Messages of a launcher that fails are its own affair.
  return code === 0 ? { code, probe: found, rest: found ? rest : lines } : { code }
}

const web = (more: object = {}, process: object = {}) => ({
  buildpacks,
  processes: [direct('web', ['probe'], { args: ['-a', 'b c'], ...process })],
  ...more,
})
const program = (lines: string) => `#!/bin/sh\n${lines}\n`

const cases: readonly Case[] = [
  { name: 'a direct process with its own arguments', metadata: web(), start: 'web' },
  {
    name: "the user's arguments instead",
    metadata: web(),
    start: 'web',
    args: ['x y', '', '$HOME', '--'],
  },
  {
    name: 'a command of several words',
    metadata: web({}, { command: ['probe', 'always', ''] }),
    start: 'web',
    args: ['x'],
  },
  { name: 'a command of several words alone', metadata: web({}, { command: ['probe', '1'] }), start: 'web' },
  {
    name: 'an old buildpack keeps its arguments',
    metadata: web({}, { 'buildpack-id': 'old' }),
    start: 'web',
    args: ['x'],
  },
  {
    name: 'a process of no buildpack takes no arguments',
    metadata: web({}, { 'buildpack-id': 'who' }),
    start: 'web',
    args: ['x'],
    code: 82,
  },
  {
    name: 'a process of no buildpack starts',
    metadata: web({}, { 'buildpack-id': '' }),
    start: 'web',
  },
  { name: 'a command given as a string', metadata: web({}, { command: 'probe' }), start: 'web' },
  { name: 'a working directory', metadata: web({}, { 'working-dir': '/usr' }), start: 'web' },
  {
    name: 'a working directory that is not there',
    metadata: web({}, { 'working-dir': '/nowhere' }),
    start: 'web',
    code: 82,
  },
  {
    name: 'a program of the app',
    metadata: web({}, { command: ['./run'] }),
    app: { run: '-> PLACE/probe' },
    start: 'web',
  },
  { name: 'a program that is nowhere', metadata: web({}, { command: ['nowhere'] }), start: 'web', code: 82 },
  { name: 'a directory for a program', metadata: web({}, { command: ['/usr'] }), start: 'web', code: 82 },
  {
    name: 'a file that is no program',
    metadata: web({}, { command: ['./text'] }),
    app: { text: 'x' },
    start: 'web',
    code: 82,
  },
  {
    name: 'an executable file that is no program',
    metadata: web({}, { command: ['./text'] }),
    app: { 'text*': '\x7fnothing' },
    start: 'web',
    code: 82,
  },
  { name: 'an empty command', metadata: web({}, { command: [] }), start: 'web', code: 82 },
  { name: 'an empty word for a command', metadata: web({}, { command: [''] }), start: 'web', code: 82 },
  {
    name: 'a relative element of PATH does not count',
    metadata: web({}, { command: ['tool'] }),
    app: { tool: '-> PLACE/probe' },
    environment: { PATH: '.:/usr/bin' },
    start: 'web',
    code: 82,
  },
  {
    name: 'an empty element of PATH does not count',
    metadata: web({}, { command: ['tool'] }),
    app: { tool: '-> PLACE/probe' },
    environment: { PATH: '/usr/bin:' },
    start: 'web',
    code: 82,
  },
  {
    name: 'layers before the system',
    metadata: web({}, { command: ['tool'] }),
    layers: { 'new_one/a/bin/tool': '-> PLACE/probe', 'new_one/b/lib/x': '', 'old/z/bin/x': '' },
    environment: { LD_LIBRARY_PATH: '/lib' },
    start: 'web',
  },
  {
    name: 'variables of layers',
    metadata: web(),
    layers: {
      'new_one/a/env/A': 'a\n',
      'new_one/a/env/B.append': 'b',
      'new_one/a/env/B.delim': ':',
      'new_one/b/env.launch/A.prepend': 'p',
      'new_one/b/env.launch/web/C.default': 'c',
      'new_one/b/env.launch/other/D': 'no',
      'new_one/b/env.build/E': 'no',
      'new_one/b/env/PATH.append': ':/end',
      'old/z/env/A.override': 'z',
      'old/z/env/B.append': 'y',
      'unlisted/z/env/F': 'no',
    },
    environment: {
      B: 'outer',
      C: '',
      CNB_PROCESS_TYPE: 'web',
      CNB_DEPRECATION_MODE: 'quiet',
      CNB_EXEC_ENV: 'test',
    },
    start: 'web',
  },
  {
    name: 'links among layers and variables',
    metadata: web(),
    layers: {
      'new_one/a/env/A': '-> ../real/A',
      'new_one/a/real/A': 'linked',
      'new_one/a/env/B': '-> ../real',
      'new_one/linked': '-> a',
      'new_one/a/env/sub/C': 'no',
    },
    start: 'web',
  },
  {
    name: 'a variable that leads nowhere',
    metadata: web(),
    layers: { 'new_one/a/env/A': '-> nowhere' },
    start: 'web',
    code: 82,
  },
  {
    name: 'start-up programs in order',
    metadata: web(),
    layers: {
      'new_one/a/exec.d/2*': program('echo "A = \\"$A-2\\"" >&3; echo said'),
      'new_one/a/exec.d/1*': program('echo "A = \\"$A-1\\"" >&3'),
      'new_one/a/exec.d/web/0*': program('echo "A = \\"$A-web\\"" >&3'),
      'new_one/a/exec.d/other/0*': program('exit 1'),
      'new_one/b/exec.d/1*': program('echo "A = \\"$A-b\\"\\nB = \\"$(pwd) $# $(cat)\\"" >&3'),
      'old/z/exec.d/1*': program('echo "PATH = \\"$PATH:/more\\"" >&3'),
    },
    environment: { A: '0' },
    start: 'web',
  },
  {
    name: 'strings of several lines from start-up programs',
    metadata: web(),
    layers: {
      'new_one/a/exec.d/1*': program(`printf 'A = """\\nx\\\\\\n   y\\n"""\\n"B C" = %s\\n' "'''z'''" >&3`),
    },
    start: 'web',
  },
  ...(
    [
      ['a start-up program that fails', program('exit 3')],
      ['a start-up program that writes a number', program('echo "A = 1" >&3')],
      ['a start-up program that writes a table', program('echo "[A]" >&3')],
      ['a start-up program that writes no TOML', program('echo "A" >&3')],
      ['a start-up program that ends by a signal', program('kill -9 $$')],
    ] as const
  ).map(([name, text]) => ({
    name,
    metadata: web(),
    layers: { 'new_one/a/exec.d/1*': text },
    start: 'web',
    code: 82,
  })),
  {
    name: 'a start-up program that is none',
    metadata: web(),
    layers: { 'new_one/a/exec.d/1': 'x' },
    start: 'web',
    code: 82,
  },
  {
    name: 'a process for another execution environment',
    metadata: web({}, { 'exec-env': ['test'] }),
    start: 'web',
    code: 82,
  },
  {
    name: 'a process for this execution environment',
    metadata: web({}, { 'exec-env': ['test'] }),
    environment: { CNB_EXEC_ENV: 'test' },
    start: 'web',
  },
  {
    name: 'a process for another execution environment, before there were any',
    metadata: web({}, { 'exec-env': ['test'] }),
    environment: { CNB_PLATFORM_API: '0.14' },
    start: 'web',
  },
  {
    name: 'the first process that fits',
    metadata: {
      buildpacks,
      processes: [
        direct('web', ['probe', 'test'], { 'exec-env': ['test'] }),
        direct('web', ['probe', 'all'], { 'exec-env': ['*'] }),
        direct('web', ['probe', 'last']),
      ],
    },
    start: 'web',
  },
  { name: 'a command behind --', start: 'launcher', args: ['--', 'probe', 'x  y', '$HOME'] },
  { name: 'nothing to start', start: 'launcher', code: 82 },
  { name: 'nothing behind --', start: 'launcher', args: ['--'], code: 2, shell: true },
  { name: 'a command that is nowhere behind --', start: 'launcher', args: ['--', 'nowhere'], code: 82 },
  {
    name: 'variables for a type do not apply to a command',
    layers: {
      'new_one/a/env/A': 'a',
      'new_one/a/env.launch/web/A': 'no',
      'new_one/a/exec.d/web/1*': program('exit 1'),
    },
    start: 'launcher',
    args: ['--', 'probe'],
  },
  { name: 'no metadata', metadata: '-', start: 'web', code: 1 },
  { name: 'metadata that are no TOML', metadata: 'processes', start: 'web', code: 1 },
  { name: 'metadata of wrong types', metadata: '[[processes]]\ntype = 1\n', start: 'web', code: 1 },
  {
    name: 'metadata with much else',
    metadata: `buildpack-default-process-type = "web"
[[buildpacks]]
id = 'new/one'
version = "1"
api = "0.12"
homepage = "x"
[[labels]]
key = "a"
value = """b
c"""
[[slices]]
paths = ["x", 'y']
[extra]
when = 1979-05-27T07:32:00Z
what = { a.b = 1.5e3, c = [1, 0x2] }
[[processes]]
type = "web"
command = ["probe"]
args = ["caf\\u00e9"]
direct = true
buildpack-id = "new/one"
`,
    start: 'web',
  },
  ...['', ' ', '0.6', '0.16', '1.0', 'x', 'v0.15.1'].map(api => ({
    name: `the platform API ${JSON.stringify(api)}`,
    metadata: web(),
    environment: { CNB_PLATFORM_API: api },
    start: 'web',
    code: 11,
  })),
  ...['v0.12', '0.13'].map(api => ({
    name: `the platform API ${api}`,
    metadata: web(),
    environment: { CNB_PLATFORM_API: api },
    start: 'web',
  })),
  ...['0.6', '0.13', '', 'x'].map(api => ({
    name: `a buildpack with the API ${JSON.stringify(api)}`,
    metadata: web({ buildpacks: [...buildpacks, { id: 'third', version: '1', api }] }),
    start: 'web',
    code: 12,
  })),
  ...(
    [
      ['a script', 'PLACE/probe "$A" *; true', []],
      ['a script that fails', 'exit 7', [], 7],
      [
        'words with arguments',
        'probe',
        ['$A', '  two   blanks ', '"quoted"', "it's", '*', '\\$A', '$(echo x)', ''],
      ],
      ['a command that is a variable', '$A', ['1']],
      ['unbalanced quotes', 'probe', ['a"b', '$(', '`']],
    ] as const
  ).map(([name, command, args, code = 0]) => ({
    name: `a shell process: ${name}`,
    metadata: web({}, { command: [command], args: [...args], direct: false }),
    app: { file: '' },
    environment: { A: 'PLACE/probe  b'.replace('PLACE/probe  b', 'probe') },
    start: 'web',
    shell: true,
    ...(code && { code }),
  })),
  {
    name: 'a shell process with profiles',
    metadata: web({}, { command: ['probe "$A" "$B" $0'], args: [], direct: false }),
    layers: {
      'new_one/a/profile.d/2.sh': 'export A="$A-2 $0"',
      'new_one/a/profile.d/1.sh': 'export A="1"',
      'new_one/a/profile.d/web/0.sh': 'export A="$A-web"',
      'new_one/a/profile.d/other/0.sh': 'export A="no"',
      'old/a/profile.d/1.sh': 'cd /; export B="$PWD"',
    },
    app: { '.profile': 'export A="$A-app"; false' },
    start: 'web',
    shell: true,
  },
  {
    name: 'a shell process with a working directory and old arguments',
    metadata: web(
      {},
      {
        command: ['probe'],
        args: ['$PWD'],
        direct: false,
        'working-dir': '/usr/$PART',
        'buildpack-id': 'old',
      },
    ),
    environment: { PART: 'bin' },
    start: 'web',
    args: ['$PART'],
    shell: true,
  },
  {
    name: 'a shell process of several words',
    metadata: web({}, { command: ['probe', '$HOME  x'], args: ['y'], direct: false }),
    start: 'web',
    shell: true,
  },
  {
    name: 'a shell process of an unknown buildpack',
    metadata: web({}, { command: ['probe'], args: ['y'], direct: false, 'buildpack-id': 'who' }),
    start: 'web',
    shell: true,
    code: 82,
  },
  { name: 'a command for the shell', start: 'launcher', args: ['probe $((1 + 1)) "a  b"'], shell: true },
  {
    name: 'a command for the shell with arguments',
    start: 'launcher',
    args: ['probe', '$((1 + 1))', 'a  b'],
    shell: true,
  },
  {
    name: 'a .profile that is a directory',
    app: { '.profile/x': '' },
    start: 'launcher',
    args: ['probe', 'x'],
    shell: true,
  },
]

describe('the launcher beside the reference', () => {
  for (const given of cases) {
    it(given.name, context => {
      if (missing) return context.skip(missing)
      if (given.shell && !existsSync('/bin/bash')) return context.skip('there is no /bin/bash')
      const [reference, ours] = both(given)
      const told = `${JSON.stringify(reference)}\n${JSON.stringify(ours)}`
      assert.equal(reference.code, given.code ?? 0, told)
      assert.deepEqual(answer(ours), answer(reference), told)
      if (![0, 2, 7].includes(ours.code ?? -1))
        assert.match(ours.stderr, /^ERROR: .+: .+\n {2}What to do: .+\n$/m)
    })
  }

  it('makes the same environment of any layers', async context => {
    if (missing) return context.skip(missing)
    const name = fc.constantFrom('A', 'B', 'PATH', 'LD_LIBRARY_PATH', 'A-b', 'x')
    const suffix = fc.constantFrom(
      '',
      '.append',
      '.prepend',
      '.override',
      '.default',
      '.delim',
      '.other',
      '.append.x',
    )
    const file = fc.record({
      buildpack: fc.constantFrom('new_one', 'old', 'absent'),
      layer: fc.constantFrom('a', 'b', 'a-b', 'a.b', 'Z'),
      place: fc.constantFrom('env', 'env.launch', 'env.launch/web', 'env.build', 'bin', 'lib'),
      name: fc.tuple(name, suffix).map(parts => parts.join('')),
      text: fc.constantFrom('', 'v', ':', 'w\n', ' é ', '$A'),
    })
    await fc.assert(
      fc.property(fc.array(file, { maxLength: 14 }), files => {
        const layers = Object.fromEntries(
          files.map(({ buildpack, layer, place, name, text }) => [
            `${buildpack}/${layer}/${place}/${name}`,
            text,
          ]),
        )
        const process = { command: ['PLACE/probe'] }
        const given = {
          name: '',
          metadata: web({}, process),
          layers,
          start: 'web',
          environment: { A: 'outer', B: '' },
        }
        const [reference, ours] = both(given)
        assert.deepEqual(answer(ours), answer(reference))
      }),
      { numRuns: 60 },
    )
  })

  it('starts a program of the app from another working directory, where the reference does not', async context => {
    if (missing) return context.skip(missing)
    const metadata = web({}, { command: ['./run'], 'working-dir': '/usr' })
    const [reference, ours] = both({ name: '', metadata, app: { run: '-> PLACE/probe' }, start: 'web' })
    assert.deepEqual([reference.code, ours.code], [82, 0])
    assert.equal(JSON.parse(ours.stdout).directory, '/usr')
  })

  after(() => (serial > 0 ? removeTree(join(directory.path, 'place')) : undefined))
})
