import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { checkout, type Story, story } from '../support/cli.ts'
import { freePort } from '../support/free-port.ts'
import type { ImageOrder } from '../support/make-image.ts'
import { whyNoSandbox } from '../support/sandbox.ts'

const metadata = JSON.stringify({
  buildpacks: [],
  processes: [
    { type: 'web', command: ['sh'], args: ['-c', 'echo web'], direct: true },
    { type: 'tell', command: ['echo', 'told'], args: ['default'], direct: true, 'working-dir': '/layers' },
    { type: 'script', command: ['echo $HOME'], args: null, direct: false },
  ],
})

/** A server that every base can run: it answers a connection, encrypted with a shared key, and ends on SIGTERM with code 9. */
const SERVER = `
trap 'kill $!; exit 9' TERM
openssl s_server -accept "$1" -nocert -psk 1a2b3c -tls1_2 -cipher PSK -quiet -naccept 50 </dev/null &
echo listening
while :; do wait $!; sleep 0.1; done
`

const orders: ImageOrder[] = [
  {
    name: 'test/app',
    base: 'run:base',
    config: {
      Entrypoint: ['/workspace/start'],
      Cmd: ['default', 'words'],
      WorkingDir: '/workspace',
      Env: ['PATH=/usr/bin:/bin', 'FROM_IMAGE=yes'],
      User: 'cnb',
    },
    labels: { 'io.buildpacks.build.metadata': metadata },
    layers: [
      [
        { name: 'workspace', type: 'directory' },
        { name: 'workspace/start', mode: 0o755, text: '#!/bin/sh\necho "$@"\n' },
        { name: 'workspace/serve', mode: 0o755, text: `#!/bin/sh\n${SERVER}` },
        { name: 'workspace/not-executable', text: 'plain' },
      ],
    ],
  },
  {
    name: 'test/launcher',
    base: 'run:base',
    config: { Entrypoint: ['/cnb/process/web'], WorkingDir: '/workspace' },
    labels: { 'io.buildpacks.build.metadata': metadata },
    layers: [
      [
        { name: 'cnb/lifecycle/launcher', mode: 0o755, text: '#!/bin/sh\necho "launched as $0 with $*"\n' },
        ...['web', 'tell', 'script'].map(
          type =>
            ({ name: `cnb/process/${type}`, type: 'symlink', link: '/cnb/lifecycle/launcher' }) as const,
        ),
      ],
    ],
  },
  {
    name: 'test/layers',
    base: 'run:base',
    config: { Entrypoint: ['sh', '-c'], WorkingDir: '/made/for/it', User: '1234:4321' },
    layers: [
      [
        { name: 'data/old/file', text: 'old' },
        { name: 'data/kept', text: 'kept' },
        { name: 'data/gone', text: 'gone' },
      ],
      [
        { name: 'data/old/.wh..wh..opq' },
        { name: 'data/.wh.gone' },
        { name: 'data/old/new', text: 'new' },
        { name: 'data/hard', type: 'link', link: 'data/old/new' },
      ],
    ],
  },
  ...(
    [
      [
        'test/hostile-link',
        [
          { name: 'out', type: 'symlink', link: '/' },
          { name: 'out/tmp/slipway-escaped', text: 'x' },
        ],
      ],
      ['test/hostile-up', [{ name: '../../slipway-escaped', text: 'x' }]],
      ['test/hostile-hard', [{ name: 'passwd', type: 'link', link: '/etc/passwd' }]],
    ] as const
  ).map(([name, files]) => ({ name, base: 'run:base', config: { Cmd: ['true'] }, layers: [files] })),
  {
    name: 'test/gone',
    base: 'run:base',
    config: { Entrypoint: [] },
    layers: [
      [
        { name: 'data', type: 'directory' },
        { name: 'data/mine', text: 'still here' },
      ],
    ],
  },
  { name: 'test/other', base: 'run:base', config: { Cmd: ['true'] }, layers: [], architecture: 'riscv64' },
  ...['nobody-knows', '4294967296', '99999999999', '-1', 'cnb:nobody-knows', 'cnb:1:2'].map(
    (User, index) => ({
      name: `test/user-${index}`,
      base: 'run:base',
      config: { Cmd: ['id', '-u'], User },
      layers: [],
    }),
  ),
]

const skip = await whyNoSandbox()

describe('slipway run', { skip }, () => {
  let place: Story

  before(async () => {
    place = story()
    const program = join(checkout, 'test/support/make-image.ts')
    const made = await place.run(process.execPath, ['--import', 'tsx', program], {
      cwd: checkout,
      stdin: JSON.stringify(orders),
    })
    assert.equal(made.code, 0, made.stderr)
  })
  after(() => place?.[Symbol.dispose]())

  const run = (words: readonly string[], options = {}) => place.slipway(['run', ...words], options)
  const shell = (script: string, words: readonly string[] = [], options = {}) =>
    run(['slipway/run:base', ...words, '--', 'sh', '-c', script], options)

  describe('starts what the image says', () => {
    it('with its own arguments, or those given', async () => {
      assert.equal((await run(['test/app'])).stdout, 'default words\n')
      assert.equal((await run(['test/app', '--', 'other', '-p'])).stdout, 'other -p\n')
    })

    it('a process by its type, by the launcher or without one', async () => {
      assert.equal((await run(['test/app', '--process', 'web'])).stdout, 'web\n')
      assert.equal((await run(['test/app', '--process', 'tell'])).stdout, 'told default\n')
      assert.equal((await run(['test/app', '--process', 'tell', '--', 'me'])).stdout, 'told me\n')
      const launched = await run(['test/launcher', '--process', 'tell', '--', 'me'])
      assert.equal(launched.stdout, 'launched as /cnb/process/tell with me\n')
    })

    it('and says which processes there are if there is none of that type', async () => {
      const unknown = await run(['test/app', '--process', 'worker'])
      assert.equal(unknown.code, 3)
      assert.match(unknown.stderr, /the image has web, tell, script/)
      assert.match((await run(['test/app', '--process', 'script'])).stderr, /--launcher always/)
    })

    it('as its user, in its directory, with its variables and those given', async () => {
      writeFileSync(join(place.directory, 'variables'), '# a comment\nFROM_FILE=f\nPASSED_ON\n')
      const words = ['-e', 'GIVEN=g', '--env', 'FROM_IMAGE=changed', '--env-file', 'variables']
      const script =
        'id -u; id -g; pwd; echo $GIVEN $FROM_IMAGE $FROM_FILE $PASSED_ON $HOME; env | grep -c SLIPWAY'
      const told = await place.slipway(
        ['run', 'test/app', ...words, '--process', 'web', '--', '-c', script],
        {
          env: { PASSED_ON: 'p', UNASKED: 'u' },
        },
      )
      assert.equal(told.stdout, '1001\n1001\n/workspace\ng changed f p /home/cnb\n0\n')
      assert.equal(
        (await run(['test/layers', '--', 'id -u; id -g; pwd'])).stdout,
        '1234\n4321\n/made/for/it\n',
      )
    })

    it('and no user that the image has not, nor root in place of a number too large', async () => {
      for (const index of [0, 1, 2, 3, 4, 5]) {
        const refused = await run([`test/user-${index}`])
        assert.equal(refused.stdout, '', String(index))
        assert.match(refused.stderr, /Cannot run as the user/)
      }
    })
  })

  describe('files', () => {
    it('are those of all layers, with what later ones remove', async () => {
      const { stdout } = await run(['test/layers', '--', 'cd /data; find . -type f | sort; cat hard'])
      assert.equal(stdout, './hard\n./kept\n./old/new\nnew')
    })

    it('can be changed, and the changes are forgotten', async () => {
      const change = await shell(
        'echo changed >/etc/passwd && rm -r /usr/share && mkdir /new && cat /etc/passwd',
      )
      assert.equal(change.stdout, 'changed\n')
      const { stdout } = await shell('ls -d /new /usr/share; grep -c cnb /etc/passwd')
      assert.equal(stdout, '/usr/share\n1\n')
    })

    it('of hostile layers come nowhere but below their own root', async () => {
      for (const name of ['test/hostile-link', 'test/hostile-up', 'test/hostile-hard']) {
        const { code, stderr } = await run([name])
        assert.equal(code, 1, name)
        assert.match(stderr, /Cannot unpack a layer/)
        assert.match(stderr, /What to do/)
      }
      assert.equal(existsSync('/tmp/slipway-escaped'), false)
      assert.deepEqual(
        readdirSync(join(place.home, 'roots')).filter(name => name.startsWith('.making')),
        [],
      )
    })

    it('of the host are there only where they are mounted', async () => {
      mkdirSync(join(place.directory, 'data'))
      writeFileSync(join(place.directory, 'data/in'), 'from the host')
      place.own('data')
      const words = ['-v', 'data:/mnt/data', '--volume', 'data:/mnt/fixed:ro']
      const script = 'cat /mnt/data/in; echo out >/mnt/data/out; echo no >/mnt/fixed/no || echo refused'
      const { stdout } = await shell(script, words)
      assert.equal(stdout, 'from the hostrefused\n')
      assert.equal(readFileSync(join(place.directory, 'data/out'), 'utf8'), 'out\n')
      assert.equal((await shell(`cat ${join(place.directory, 'data/in')}`)).code, 1)
      for (const volume of ['nowhere:/x', 'data', 'data:relative']) {
        assert.equal((await shell('true', ['-v', volume])).code, 3, volume)
      }
    })

    it('of bindings are where SERVICE_BINDING_ROOT says', async () => {
      mkdirSync(join(place.directory, 'db'))
      writeFileSync(join(place.directory, 'db/type'), 'postgresql')
      writeFileSync(join(place.directory, 'db/password'), 'p4ss')
      place.own('db')
      const { stdout } = await shell('cat $SERVICE_BINDING_ROOT/store/password', ['--binding', 'store=db'])
      assert.equal(stdout, 'p4ss')
    })
  })

  it('leaves unpacked layers only for as long as an image or a run needs them', async () => {
    const roots = () =>
      readdirSync(join(place.home, 'roots')).filter(name => name.startsWith('layer-')).length
    // What other stories left may go now, and no later.
    assert.equal((await place.slipway(['gc'])).code, 0)
    const child = place.start(['run', 'test/gone', '--', 'sh', '-c', 'echo up; read x; cat /data/mine'])
    await said(child, /up/)
    const before = roots()
    assert.equal((await place.slipway(['rm', 'test/gone'])).code, 0)
    assert.equal((await place.slipway(['gc'])).code, 0)
    assert.equal(roots(), before)
    const read = said(child, /still here/)
    child.stdin?.end('go\n')
    await read
    assert.equal(await codeOf(child), 0)
    assert.equal((await place.slipway(['gc'])).code, 0)
    assert.equal(roots(), before - 1)
  })

  describe('ends', () => {
    it("with the program's code, or 128 and the number of its signal", async () => {
      assert.equal((await shell('exit 7')).code, 7)
      assert.equal((await shell('kill -KILL $$')).code, 137)
    })

    it('with 127 and 126 for programs that are missing or cannot be executed', async () => {
      const missing = await run(['slipway/run:base', '--', 'no-such-program'])
      assert.deepEqual([missing.code, missing.stdout], [127, ''])
      assert.match(missing.stderr, /Cannot run no-such-program\n {2}Why: the image has no such program/)
      assert.equal((await run(['slipway/run:base', '--', '/etc/passwd'])).code, 126)
    })

    it('with 3 for images and options that are not there', async () => {
      assert.match((await run(['no/such-image'])).stderr, /the store has no image of that name/)
      for (const words of [
        ['no/such-image'],
        ['test/other'],
        ['slipway/run:base'],
        ['test/app', '-p', '8080'],
        ['test/app', '-p', '0:80'],
        ['test/app', '--memory', 'lots'],
        ['test/app', '--memory', '1k'],
        ['test/app', '--network', 'bridge'],
        ['test/app', '--network', 'none', '-p', '8080:8080'],
        ['test/app', '--env-file', 'nowhere'],
        ['test/app', '-e', '1=2'],
      ])
        assert.equal((await run(words)).code, 3, words.join(' '))
      assert.equal((await run(['test/app', '--unknown'])).code, 2)
    })

    it('when it is told to, letting the program say good-bye', async () => {
      const child = place.start([
        'run',
        'test/app',
        '--process',
        'web',
        '--',
        '-c',
        `trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.1; done`,
      ])
      await said(child, /up/)
      const bye = said(child, /bye/)
      child.kill('SIGTERM')
      await bye
      assert.equal(await codeOf(child), 5)
    })

    it('at once, with all its processes, when slipway is killed', async () => {
      const child = place.start([
        'run',
        'slipway/run:base',
        '--',
        'sh',
        '-c',
        `echo up; setsid sleep 4711.${process.pid} & wait`,
      ])
      await said(child, /up/)
      child.kill('SIGKILL')
      await codeOf(child)
      for (let tries = 0; tries < 200 && isSleeping(`4711.${process.pid}`); tries++)
        await new Promise(resolve => setTimeout(resolve, 20))
      assert.equal(isSleeping(`4711.${process.pid}`), false)
    })
  })

  describe('streams', () => {
    it('are passed through, each to its own', async () => {
      const { stdout, stderr } = await shell('cat; echo err >&2; echo out >/dev/stdout', [], {
        stdin: 'from stdin\n',
      })
      assert.equal(stdout, 'from stdin\nout\n')
      assert.match(stderr, /^err$/m)
    })
  })

  describe('limits', () => {
    it('of memory hold, and can be read inside', async () => {
      const told = await shell('cat /sys/fs/cgroup/memory.max', ['--memory', '512m'])
      assert.equal(told.stdout, '536870912\n')
      assert.equal((await shell('cat /sys/fs/cgroup/memory.max')).stdout, 'max\n')
      const hungry = 'head -c 400000000 /dev/zero | tail -c 399999999 | (sleep 2; wc -c)'
      const ended = await shell(hungry, ['-m', '64m'])
      assert.equal(ended.code, 137)
      assert.match(ended.stderr, /needed more than --memory allows/)
      assert.equal((await shell(hungry, ['-m', '2g'])).code, 0)
    })
  })

  describe('the network', () => {
    it("is this machine's, with its names, or none", async () => {
      const names = await shell('getent hosts localhost slipway | wc -l; cat /etc/hostname')
      assert.equal(names.stdout, '2\nslipway\n')
      const count = 'grep -c : /proc/net/dev'
      assert.equal((await shell(count, ['--network', 'none'])).stdout, '1\n')
    })

    it('leads from a port of this machine to the app, under the same number or another', async () => {
      const [inner, outer, same] = [await freePort(), await freePort(), await freePort()]
      for (const [published, inside] of [
        [outer, inner],
        [same, same],
      ] as const) {
        const words = ['-p', `127.0.0.1:${published}:${inside}`, '--process', 'web']
        const child = place.start(['run', 'test/app', ...words, '--', '/workspace/serve', String(inside)])
        await said(child, /listening/)
        assert.equal(await greets(published), true)
        child.kill('SIGTERM')
        assert.equal(await codeOf(child), 9)
      }
    })

    it('is refused at a port that is taken', async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await new Promise(resolve => server.once('listening', resolve))
      const { port } = server.address() as { port: number }
      try {
        for (const inside of [port, 8080]) {
          const { code, stderr } = await shell('true', ['-p', `127.0.0.1:${port}:${inside}`])
          assert.equal(code, 1)
          assert.match(stderr, new RegExp(`Cannot publish 127.0.0.1:${port}`))
        }
      } finally {
        server.close()
      }
    })
  })

  it('needs no overlays: it copies the files instead', async () => {
    const bwrap = join(place.directory, 'bin/bwrap')
    mkdirSync(join(place.directory, 'bin'))
    writeFileSync(bwrap, oldBwrap(place), { mode: 0o755 })
    place.own('bin')
    const path = `${join(place.directory, 'bin')}:${process.env.PATH}`
    // Nothing can be fetched, so that the old one has to do.
    const state = join(place.directory, 'old-state')
    mkdirSync(state)
    symlinkSync(join(place.home, 'images'), join(state, 'images'))
    place.own('old-state')
    const env = { PATH: path, SLIPWAY_HOME: state, SLIPWAY_APT_MIRROR: 'http://127.0.0.1:9/debian' }
    const { stdout, code, stderr } = await shell('echo changed >/etc/passwd && cat /etc/passwd', [], { env })
    assert.deepEqual([code, stdout], [0, 'changed\n'], stderr)
    assert.match((await shell('cat /etc/passwd', [], { env })).stdout, /cnb/)
  })
})

/** A bubblewrap that says it is one that cannot mount overlays yet; all else is done by the real one. */
function oldBwrap({ home }: Story): string {
  const tool = readdirSync(join(home, 'tools')).find(name => /^bubblewrap-[0-9a-f]{64}$/.test(name)) as string
  const root = join(home, 'tools', tool)
  return `#!/bin/sh
case " $* " in *' --version '*) echo 'bubblewrap 0.9.0'; exit ;; esac
for library in ${root}/usr/lib/*-linux-gnu; do :; done
for loader in "$library"/ld-linux-*.so.*; do :; done
exec "$loader" --library-path "$library" ${root}/usr/bin/bwrap "$@"
`
}

function said(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const read = (part: Buffer) => {
      text += part
      if (pattern.test(text)) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('close', () => reject(new Error(`ended without saying ${pattern}: ${text}`)))
  })
}

async function codeOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  return await new Promise(resolve => child.once('exit', code => resolve(code)))
}

function isSleeping(seconds: string): boolean {
  return readdirSync('/proc').some(name => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1') === `sleep\0${seconds}\0`
    } catch {
      return false
    }
  })
}

/** True once the server of the test image answers at a port of this machine. */
async function greets(port: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    const answered = await new Promise<boolean>(resolve => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        ciphers: 'PSK',
        maxVersion: 'TLSv1.2',
        checkServerIdentity: () => undefined,
        pskCallback: () => ({ psk: Buffer.from('1a2b3c', 'hex'), identity: 'client' }),
      })
      socket.once('secureConnect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (answered) return true
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return false
}
