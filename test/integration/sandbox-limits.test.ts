import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { act } from '../support/actors.ts'
import {
  isRoot,
  openGround,
  type SandboxGround,
  testAsOrdinaryUser,
  whyNoSandbox,
} from '../support/sandbox.ts'

/* What a program may use up, what it may leave behind, and where mounts may land. Every limit has a twin that stays below it. */
const MEBI = 2 ** 20
const skip = await whyNoSandbox()

if (isRoot) {
  it('limits hold for an ordinary user', async () => {
    await testAsOrdinaryUser(import.meta.filename)
  })
}

describe(`limits of a sandbox that ${isRoot ? 'root' : 'an ordinary user'} opened`, { skip }, () => {
  let ground: SandboxGround

  before(async () => {
    ground = await openGround()
  })
  after(() => ground?.[Symbol.asyncDispose]())

  describe('time', () => {
    it('ends a program that ignores every signal', async () => {
      const code = `
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
print('ready', flush=True)
time.sleep(1000)
`
      const { reason, exitCode } = await act(ground, 'build', code, { limits: { seconds: 2 } })
      assert.deepEqual([reason, exitCode], ['timeout', undefined])
      const twin = await act(ground, 'build', 'print(1)', { limits: { seconds: 100 } })
      assert.deepEqual([twin.reason, twin.exitCode], ['exit', 0])
    })

    it('ends it when the build is stopped', async () => {
      const stop = new AbortController()
      const { reason } = await act(ground, 'build', `print('up', flush=True); time.sleep(1000)`, {
        signal: stop.signal,
        stdout: () => stop.abort(),
      })
      assert.equal(reason, 'aborted')
    })
  })

  describe('processes', () => {
    const fork = (count: number) => `
children = 0
for _ in range(${count}):
    try:
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
        children += 1
    except OSError as error:
        print(errno.errorcode[error.errno]); break
print('children', children, flush=True)
time.sleep(1)
for _ in range(children): pass
`
    it('stops a fork bomb', async () => {
      const { output, reason } = await act(ground, 'build', fork(400), {
        limits: { processes: 60, seconds: 60 },
      })
      const children = Number(/children (\d+)/.exec(output)?.[1] ?? 0)
      assert.ok(reason === 'processes' || (children < 60 && output.includes('EAGAIN')), `${reason} ${output}`)
      const twin = await act(ground, 'build', fork(10), { limits: { processes: 60, seconds: 60 } })
      assert.equal(twin.reason, 'exit')
      assert.match(twin.output, /children 10/)
    })
  })

  describe('memory', () => {
    const limits = { memoryBytes: 200 * MEBI, seconds: 60 }
    const hungry: Record<string, (mebibytes: number) => string> = {
      'memory of one process': size => `
held = [bytearray(b'x' * ${MEBI}) for _ in range(${size})]
print('has it', flush=True); time.sleep(1.2)`,
      'memory of many processes': size => `
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(b'x' * (${size} * ${MEBI} // 4)); time.sleep(1.5); os._exit(0)
if all(os.wait()[1] == 0 for _ in range(4)): print('has it')
else: print('MemoryError'); sys.exit(1)`,
      'files in memory': size => `
with open('/tmp/big', 'wb') as file:
    for _ in range(${size}): file.write(b'x' * ${MEBI})
print('has it', flush=True); time.sleep(1.2)`,
      'files in memory without a name': size => `
files = [os.memfd_create('big') for _ in range(8)]
for file in files:
    for _ in range(${size} // 8): os.write(file, b'x' * ${MEBI})
print('has it', flush=True); time.sleep(1.2)`,
      'shared memory': size => `
import mmap
held = mmap.mmap(-1, ${size} * ${MEBI})
for at in range(0, ${size} * ${MEBI}, 4096): held[at] = 1
print('has it', flush=True); time.sleep(1.2)`,
    }
    for (const [name, code] of Object.entries(hungry)) {
      it(`limits ${name}`, async () => {
        const { reason, output, exitCode } = await act(ground, 'build', code(900), { limits })
        const refused = exitCode === 1 && /ENOSPC|No space|MemoryError|ENOMEM/.test(output)
        assert.ok(reason === 'memory' || refused, `${reason} ${exitCode} ${output.slice(-300)}`)
        const twin = await act(ground, 'build', code(80), { limits })
        assert.deepEqual([twin.reason, twin.exitCode], ['exit', 0], twin.output)
        assert.match(twin.output, /has it/)
      })
    }
  })

  describe('disk', () => {
    const limits = { diskBytes: 60 * MEBI, seconds: 120 }
    const greedy: Record<string, (mebibytes: number) => string> = {
      'one large file': size => `
with open('/layers/big', 'wb') as file:
    for _ in range(${size}): file.write(os.urandom(${MEBI}))
    file.flush(); os.fsync(file.fileno())
print('wrote it', flush=True); time.sleep(1.2)`,
      'many small files': size => `
for number in range(${size} * 4):
    with open(f'/layers/part-{number}', 'wb') as file: file.write(os.urandom(${MEBI} // 4))
os.sync()
print('wrote it', flush=True); time.sleep(1.2)`,
      'files that have lost their names': size => `
held = []
for number in range(${size} // 10):
    file = open(f'/layers/gone-{number}', 'wb'); os.unlink(f'/layers/gone-{number}'); held.append(file)
    for _ in range(10): file.write(os.urandom(${MEBI}))
    file.flush(); os.fsync(file.fileno())
print('wrote it', flush=True); time.sleep(1.2)`,
    }
    for (const [name, code] of Object.entries(greedy)) {
      it(`limits ${name}`, async () => {
        const { reason, output, exitCode } = await act(ground, 'build', code(300), { limits })
        emptyLayers(ground)
        const refused = exitCode !== 0 && /File too large|EFBIG/.test(output)
        assert.ok(
          reason === 'disk' || reason === 'signal' || refused,
          `${reason} ${exitCode} ${output.slice(-300)}`,
        )
        const twin = await act(ground, 'build', code(20), { limits })
        emptyLayers(ground)
        assert.deepEqual([twin.reason, twin.exitCode], ['exit', 0], twin.output)
      })
    }
  })

  describe('what is left behind', () => {
    const daemon = (mark: string) => `
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
        os.execve('/usr/bin/python3', ['${mark}', '-c', 'import time\\nn = 0\\nwhile True:\\n    n += 1; open("/layers/beat", "w").write(str(n)); time.sleep(0.01)'], {})
    os._exit(0)
while not os.path.exists('/layers/beat'): time.sleep(0.01)
print('started')
`
    for (const [name, change] of [
      ['that ends', {}],
      ['that is ended for taking too long', { limits: { seconds: 3 } }],
    ] as const) {
      it(`is no process of a program ${name}`, async () => {
        const mark = `left-behind-${process.pid}`
        const wait = 'limits' in change ? 'time.sleep(1000)' : ''
        const { output } = await act(ground, 'build', `${daemon(mark)}\n${wait}`, change)
        const beat = readFileSync(join(ground.place, 'layers/beat'), 'utf8')
        assert.deepEqual(processesNamed(mark), [])
        if (wait === '') assert.match(output, /started/)
        await new Promise(resolve => setTimeout(resolve, 200))
        assert.equal(readFileSync(join(ground.place, 'layers/beat'), 'utf8'), beat)
        rmSync(join(ground.place, 'layers/beat'))
      })
    }

    it('is no process when slipway itself is killed, and its control group only until the next sandbox', async () => {
      const mark = `left-behind-${process.pid}-killed`
      const program = join(import.meta.dirname, '../support/long-run.ts')
      const child = spawn(process.execPath, ['--import', 'tsx', program, mark], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await new Promise(resolve => child.stdout.once('data', resolve))
      assert.equal(processesNamed(mark).length > 0, true)
      child.kill('SIGKILL')
      await new Promise(resolve => child.once('close', resolve))
      for (let tries = 0; tries < 200 && processesNamed(mark).length > 0; tries++)
        await new Promise(resolve => setTimeout(resolve, 20))
      assert.deepEqual(processesNamed(mark), [])
      const groups = () => {
        const words = ['/sys/fs/cgroup', '-type', 'd', '-name', `slipway-${child.pid}-*`]
        return spawnSync('find', words, { encoding: 'utf8' }).stdout
      }
      if (ground.sandbox.enforcement.processes.startsWith('control group'))
        assert.match(groups(), /slipway-/, 'a killed process removes nothing')
      await using _next = await openGround()
      assert.equal(groups(), '')
    })
  })

  describe('files that an ancestor left open', () => {
    it('are no door to the host', async () => {
      const secret = join(ground.place, 'state/open-file')
      writeFileSync(secret, 'behind-the-door')
      const program = join(import.meta.dirname, '../support/open-files.ts')
      const { openSync, closeSync } = await import('node:fs')
      const file = openSync(secret, 'r+')
      const stdio = Array.from({ length: 60 }, (_, number) =>
        number === 1 ? 'pipe' : number === 2 ? 'inherit' : 'ignore',
      )
      const child = spawn(process.execPath, ['--import', 'tsx', program], {
        stdio: [...stdio, file] as never,
      })
      closeSync(file)
      let output = ''
      child.stdout?.on('data', part => (output += part))
      await new Promise(resolve => child.once('close', resolve))
      assert.match(output, /outside: .*behind-the-door/)
      assert.match(output, /inside: done/)
      assert.doesNotMatch(
        output.split('inside')[0] === undefined ? '' : output.slice(output.indexOf('fd ')),
        /behind-the-door/,
      )
      assert.equal(readFileSync(secret, 'utf8'), 'behind-the-door')
    })
  })

  describe('mount points', () => {
    const mountAt = (inside: string, host = join(ground.place, 'platform')) =>
      ground.run(['ls', '-a', inside], { mounts: [{ mode: 'ro', host, inside }] })

    it('are not followed where an earlier program made them links', async () => {
      await act(
        ground,
        'build',
        `os.symlink('/etc', '/layers/link'); os.symlink('/layers', '/layers/parent'); os.mkdir('/layers/real'); open('/layers/file', 'w')`,
      )
      for (const inside of ['/layers/link', '/layers/parent/real', '/layers/file', '/layers/missing'])
        await assert.rejects(mountAt(inside), { code: 'SANDBOX_MOUNT_REFUSED' }, inside)
      assert.equal((await mountAt('/layers/real')).exitCode, 0)
      emptyLayers(ground)
    })

    it('are refused outside their root, and on what the sandbox decides', async () => {
      for (const inside of [
        '/layers/../etc',
        'layers',
        '/',
        '/proc',
        '/proc/self',
        '/dev',
        '/layers/',
        '//etc',
      ])
        await assert.rejects(mountAt(inside), { code: 'SANDBOX_MOUNT_REFUSED' }, inside)
    })

    it('take no link of the host for what it leads to', async () => {
      const link = join(ground.place, 'state/link')
      symlinkSync('/etc', link)
      await assert.rejects(mountAt('/layers', link), { code: 'SANDBOX_MOUNT_REFUSED' })
      await assert.rejects(mountAt('/layers', join(ground.place, 'missing')), {
        code: 'SANDBOX_MOUNT_REFUSED',
      })
      mkdirSync(join(ground.place, 'state/real'))
      assert.equal((await mountAt('/layers', join(ground.place, 'state/real'))).exitCode, 0)
    })
  })

  it('leaves no temporary file of its own', async () => {
    const own = await openGround()
    const state = join(import.meta.dirname, '../../.cache/stories/sandbox')
    const before = readdirSync(state).filter(name => name.startsWith(`sandbox-${process.pid}-`)).length
    await own[Symbol.asyncDispose]()
    assert.equal(
      readdirSync(state).filter(name => name.startsWith(`sandbox-${process.pid}-`)).length,
      before - 1,
    )
    assert.equal(existsSync(own.place), false)
  })
})

function emptyLayers({ place }: SandboxGround): void {
  rmSync(join(place, 'layers'), { recursive: true })
  mkdirSync(join(place, 'layers'))
}

/** Living processes of this machine that are called so. */
function processesNamed(mark: string): string[] {
  return readdirSync('/proc').filter(name => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1').startsWith(`${mark}\0`)
    } catch {
      return false
    }
  })
}
