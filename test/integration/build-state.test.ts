import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
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

describe('slipway.lock', () => {
  it('records what the first build chose, and the same again is built from it anywhere', async () => {
    using place = story()
    const path = greeting(place)
    const lock = join(path, 'slipway.lock')
    const words = ['--path', path, ...buildpack(place, 'plain')]
    const without = await refused(place, 3, ['build', imageName(), ...words, '--locked'])
    assert.match(without, /slipway\.lock/)
    assert.ok(!existsSync(lock))
    const first = await built(place, [imageName(), ...words])
    assert.match(first.said, /Recorded what was chosen in slipway\.lock/)
    const text = readFileSync(lock, 'utf8')
    const second = await built(place, [imageName(), ...words, '--locked'])
    assert.equal(second.digest, first.digest)
    assert.doesNotMatch(second.said, /slipway\.lock/)
    assert.equal(readFileSync(lock, 'utf8'), text)

    using other = story()
    const copy = files(other, 'elsewhere', { greeting: 'Ahoy\n', 'slipway.lock': text })
    const third = await built(other, [imageName(), '--path', copy, ...buildpack(other, 'plain'), '--locked'])
    assert.equal(third.digest, first.digest)
  })

  it('refuses with --locked what it does not pin', async () => {
    using place = story()
    const path = greeting(place)
    const words = ['--path', path, ...buildpack(place, 'plain')]
    await built(place, [imageName(), ...words])
    const other = ['build', imageName(), ...words, '--locked', '--run-image', 'slipway/run:tiny']
    assert.match(await refused(place, 3, other), /--locked|slipway\.lock/)
    await built(place, [...other.slice(1, -3), '--run-image', 'slipway/run:tiny'])
    assert.equal((await place.slipway(other)).code, 0)
  })

  it('that is damaged says where', async () => {
    using place = story()
    const path = greeting(place)
    const lock = join(path, 'slipway.lock')
    const words = ['build', imageName(), '--path', path, ...buildpack(place, 'plain')]
    await built(place, words.slice(1))
    const text = readFileSync(lock, 'utf8')
    const cases: [damaged: string, expected: RegExp][] = [
      [text.slice(0, text.length / 2), /line \d+/],
      ['', /slipway\.lock/],
      [text.replace('"version": 1', '"version": 2'), /version/],
      [text.replace(/"sha256": "[0-9a-f]{10}/, '"sha256": "'), /line \d+/],
      [text.replace('"path": "pool/', '"path": "pool/../../'), /pool/],
      [text.replace('"bases"', '"basis"'), /basis|bases/],
    ]
    for (const [damaged, expected] of cases) {
      writeFileSync(lock, damaged)
      const said = await refused(place, 3, words)
      assert.match(said, expected)
      assert.match(said, /slipway\.lock/)
    }
    writeFileSync(lock, text)
    assert.equal((await place.slipway(words)).code, 0)
  })

  it('that may not be written is a warning', async () => {
    using place = story()
    const path = greeting(place)
    chmodSync(path, 0o555)
    const { said } = await built(place, [imageName(), '--path', path, ...buildpack(place, 'plain')])
    assert.match(said, /Warning: .*slipway\.lock cannot be written/)
    assert.ok(!existsSync(join(path, 'slipway.lock')))
    // So that whoever runs the test may remove it.
    chmodSync(path, 0o755)
  })
})

describe('layers of earlier builds', () => {
  // What a layer is for, and what a second build finds of it.
  const kinds = {
    l: 'launch',
    c: 'cache',
    b: 'build',
    lc: 'launch cache',
    lb: 'launch build',
    cb: 'cache build',
    lcb: 'launch cache build',
  }
  const build = `cd "$CNB_LAYERS_DIR"
for name in ${Object.keys(kinds).join(' ')}; do
  toml=$(test -e $name.toml && echo toml || echo -); file=$(cat $name/file 2>/dev/null || echo -)
  echo "found $name $toml $file"
done
round=$(cat "$CNB_PLATFORM_DIR/env/ROUND")
${Object.entries(kinds)
  .map(([name, types]) => {
    const flags = types.split(' ').map(type => `${type} = true\\n`)
    return `mkdir -p ${name}; [ -e ${name}/file ] || echo $round >${name}/file; printf '[types]\\n${flags.join('')}[metadata]\\nround = "%s"\\n' $(cat ${name}/file) >${name}.toml`
  })
  .join('\n')}
cd /workspace
${PLAIN}`

  it('come back as their types say, until they are forgotten', async () => {
    using place = story()
    const name = imageName()
    const words = [name, '--path', greeting(place), ...buildpack(place, 'layers', { build })]
    const round = async (text: string, ...more: string[]) => {
      const { said } = await built(place, [...words, '--env', `ROUND=${text}`, ...more])
      return Object.fromEntries(
        [...said.matchAll(/^found (\w+) (.*)$/gm)].map(([, layer, found]) => [layer, found]),
      )
    }
    const nothing = Object.fromEntries(Object.keys(kinds).map(layer => [layer, '- -']))
    assert.deepEqual(await round('one'), nothing)
    const kept = {
      l: 'toml -',
      c: 'toml one',
      b: '- -',
      lc: 'toml one',
      lb: '- -',
      cb: 'toml one',
      lcb: 'toml one',
    }
    assert.deepEqual(await round('two'), kept)
    assert.deepEqual(await round('three', '--clear-cache'), nothing)
    assert.deepEqual((await round('four')).c, 'toml three')
  })

  it('are kept where a later build fails, with downloads that one added', async () => {
    using place = story()
    const path = greeting(place)
    const build = `cd "$CNB_LAYERS_DIR"
echo "found $(cat downloads/file 2>/dev/null || echo -) and $(cat claimed/file 2>/dev/null || echo -)"
mkdir -p downloads claimed
echo one >>downloads/file; printf '[types]\\ncache = true\\n' >downloads.toml
echo one >>claimed/file; printf '[types]\\ncache = true\\n[metadata]\\nwhole = true\\n' >claimed.toml
[ -e /platform/env/GOOD ] || exit 1
cd /workspace
${PLAIN}`
    const words = [imageName(), '--path', path, ...buildpack(place, 'fetches', { build })]
    inWords(await place.slipway(['build', ...words]), 51)
    const second = await place.slipway(['build', ...words])
    assert.match(inWords(second, 51), /^found one and -$/m)
    const { said } = await built(place, [...words, '--env', 'GOOD=1'])
    assert.match(said, /^found one and -$/m)
    const last = await place.slipway(['build', ...words])
    assert.match(inWords(last, 51), /^found one\none and one$/m)
  })

  it('that were damaged are not used', async () => {
    using place = story()
    const name = imageName()
    const words = [name, '--path', greeting(place), ...buildpack(place, 'layers', { build })]
    await built(place, [...words, '--env', 'ROUND=one'])
    const caches = join(place.home, 'caches')
    const kept = readdirSync(caches, { recursive: true, encoding: 'utf8' }).filter(path =>
      path.endsWith('/file'),
    )
    assert.ok(kept.length > 0)
    for (const path of kept)
      if (readFileSync(join(caches, path), 'utf8') === 'one\n') writeFileSync(join(caches, path), 'other\n')
    const { said } = await built(place, [...words, '--env', 'ROUND=two'])
    assert.doesNotMatch(said, /other/)
  })
})

describe('a build that is stopped', () => {
  /** Says when it has begun, and goes on in the background and the foreground. */
  const slow = `echo begun; sleep 1234 & sleep 1234\n${PLAIN}`

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`by ${signal} ends with everything that it started, and says so in a line`, async () => {
      using place = story()
      const name = imageName()
      const path = greeting(place)
      const child = place.start(['build', name, '--path', path, ...buildpack(place, 'slow', { build: slow })])
      const { output, ended } = watch(child)
      await until(() => output().includes('begun\n') || child.exitCode !== null)
      child.kill(signal)
      assert.equal(await ended, code)
      assert.match(output(), /^ERROR: Stopped\..*\n$/m)
      assert.equal(
        output()
          .split('\n')
          .filter(line => line.startsWith('ERROR')).length,
        1,
      )
      await until(() => sleeping(place).length === 0)
      assert.deepEqual(leftovers(place, child.pid as number), [])
      await built(place, [name, '--path', path, ...buildpack(place, 'slow')])
    })
  }

  it('by kill -9, whenever, leaves what was before and nothing else', async () => {
    using place = story()
    const name = imageName()
    const path = greeting(place)
    const build = (
      word: string,
    ) => `mkdir -p "$CNB_LAYERS_DIR/a"; [ -e "$CNB_LAYERS_DIR/a/big" ] || seq 1 600000 >"$CNB_LAYERS_DIR/a/big"
printf '[types]\\nlaunch = true\\ncache = true\\n' >"$CNB_LAYERS_DIR/a.toml"
echo ${word} >said; sleep 1234 &
${PLAIN}`
    const words = (word: string) => [
      name,
      '--path',
      path,
      ...buildpack(place, 'killed', { build: build(word) }),
    ]
    const { digest } = await built(place, words('before'))
    const expected = await built(place, [imageName(), ...words('after').slice(1)])
    assert.notEqual(expected.digest, digest)
    const started = Date.now()
    await built(place, words('before'))
    const usual = Date.now() - started

    let early = 0
    for (let round = 0; round < 10; round++) {
      const child = place.start(['build', ...words('after')])
      const { ended } = watch(child)
      await pause((usual * (round + 1)) / 11)
      killProgram(child.pid as number)
      if ((await ended) === null) early++
      const { code, stdout, stderr } = await place.slipway(['inspect', name, '--json'])
      assert.equal(code, 0, stderr)
      const found = JSON.parse(stdout).local_info.digest
      assert.ok([digest, expected.digest].includes(found), 'the image is the old one or the new one')
      assert.equal((await place.slipway(['run', name])).stdout, 'Ahoy\n')
    }
    assert.ok(early > 0, 'no build was killed before it had ended')
    assert.equal((await built(place, words('after'))).digest, expected.digest)
    assert.deepEqual(leftovers(place), [])
    assert.deepEqual(sleeping(place), [])
  })
})

describe('at the same time', () => {
  it('two builds of an image take turns, and those of others do not wait', async () => {
    using place = story()
    const name = imageName()
    const path = greeting(place)
    const build = `sleep 0.5\nmkdir -p "$CNB_LAYERS_DIR/a"; echo x >>"$CNB_LAYERS_DIR/a/x"; printf '[types]\\ncache = true\\n' >"$CNB_LAYERS_DIR/a.toml"\n${PLAIN}`
    const words = ['--path', path, ...buildpack(place, 'slow', { build })]
    await built(place, [imageName(), ...words])
    const all = await Promise.all([
      built(place, [name, ...words]),
      built(place, [name, ...words, '--clear-cache']),
      built(place, [imageName(), ...words]),
    ])
    assert.equal(new Set(all.map(({ digest }) => digest)).size, 1)
    assert.equal(all.filter(({ said }) => said.includes('Waiting for another build of this image')).length, 1)
  })

  it('a build, a collection of garbage and a rebase do not disturb each other', async () => {
    using place = story()
    const [one, two] = [imageName(), imageName()]
    const path = greeting(place)
    const words = ['--path', path, ...buildpack(place, 'plain')]
    const { digest } = await built(place, [one, ...words])
    assert.equal((await place.slipway(['base', 'build', 'slipway/run:base-previous'])).code, 0)
    for (let round = 0; round < 3; round++) {
      const [second, gc, rebased] = await Promise.all([
        built(place, [two, ...words]),
        place.slipway(['gc']),
        place.slipway([
          'rebase',
          one,
          '--run-image',
          round % 2 === 0 ? 'slipway/run:base-previous' : 'slipway/run:base',
        ]),
      ])
      assert.equal(second.digest, digest)
      assert.equal(gc.code, 0, gc.stderr)
      assert.equal(rebased.code, 0, rebased.stderr)
      assert.equal((await place.slipway(['run', two])).stdout, 'Ahoy\n')
      assert.equal((await place.slipway(['run', one])).stdout, 'Ahoy\n')
    }
  })
})

describe('on a disk that is full', () => {
  it('a build says so, leaves nothing half-made, and works once there is room', async t => {
    if (!isRoot) return t.skip('only root may mount a small file system')
    using place = story()
    const path = greeting(place)
    const write = (megabytes: number) => `head -c ${megabytes}000000 /dev/urandom >big`
    const words = (build: string) => [
      'build',
      imageName(),
      '--path',
      path,
      ...buildpack(place, 'big', { build }),
    ]
    await built(place, words(PLAIN).slice(1))
    const disk = join(place.directory, 'disk')
    mkdirSync(disk)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1500m,mode=0777', 'tmpfs', disk])
    if (mounted.status !== 0) return t.skip('this machine mounts nothing')
    try {
      const copied = spawnSync('cp', [
        '-a',
        ...['artifacts', 'indices', 'packages', 'tools', 'certificates', 'launcher']
          .map(each => join(place.home, each))
          .filter(each => existsSync(each)),
        disk,
      ])
      if (copied.status !== 0) return t.skip('the shared state is too large for this test')
      const env = { SLIPWAY_HOME: disk }
      await built(place, words(PLAIN).slice(1), { env })
      const room = () =>
        Number(spawnSync('df', ['--output=avail', '-B1', disk], { encoding: 'utf8' }).stdout.split('\n')[1])
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(Math.max(0, room() - 120_000_000)))
      const inside = await place.slipway(words(`${write(200)}\n${PLAIN}`), { env })
      assert.match(inWords(inside, 51), /No space left/)
      const after = await place.slipway(words(`${write(70)}\n${PLAIN}`), { env })
      assert.equal(after.code, 1)
      assert.match(after.stderr, /^===> EXPORTING[\s\S]*^ERROR: The disk is full/m)
      assert.deepEqual(leftoversIn(disk), [])
      rmSync(join(disk, 'ballast'))
      await built(place, words(PLAIN).slice(1), { env })
    } finally {
      spawnSync('umount', ['-l', disk])
    }
  })
})

/** What is said, and how it ends. */
function watch(child: ReturnType<Story['start']>) {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', part => (text += part))
  const ended = new Promise<number | null>(done => child.once('close', done))
  return { output: () => text, ended }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(20)
}

/** Kills slipway itself. Where the tests are root it was started through programs that only replace themselves. */
function killProgram(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It had ended before.
  }
}

/** Processes of the story's user that sleep as the buildpack does. */
function sleeping(_place: Story): string[] {
  return readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\x001234\0'
    } catch {
      return false
    }
  })
}

/** What the sandbox remembers of its program from run to run. */
const REMEMBERED = 'bwrap.version'

/** Directories of builds and sandboxes that belong to nobody who lives. */
function leftovers(place: Story, of?: number): string[] {
  return leftoversIn(place.home, of)
}

function leftoversIn(home: string, of?: number): string[] {
  return ['builds', 'images/.slipway/staging', 'sandbox', 'runs'].flatMap(place => {
    const path = join(home, place)
    if (!existsSync(path)) return []
    return readdirSync(path)
      .filter(name => name !== REMEMBERED)
      .filter(
        name => !existsSync(`/proc/${/-(\d+)-/.exec(name)?.[1]}`) || Number(/-(\d+)-/.exec(name)?.[1]) === of,
      )
      .map(name => `${place}/${name}`)
  })
}
