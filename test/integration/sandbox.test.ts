import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ACTORS, act, attempts } from '../support/actors.ts'
import {
  isRoot,
  openGround,
  type SandboxGround,
  testAsOrdinaryUser,
  whyNoSandbox,
} from '../support/sandbox.ts'

/*
 * Ways out of the sandbox, each tried by every actor, each with a twin that is allowed: what the attack is made of works, so it is the sandbox
 * that stops it. `secret` is on the host and nobody's business inside.
 */
const SECRET = 'a-secret-of-the-host-7c1f'

const skip = await whyNoSandbox()

if (isRoot) {
  it('the sandbox holds for an ordinary user', async () => {
    await testAsOrdinaryUser(import.meta.filename)
  })
}

describe(`the sandbox, opened by ${isRoot ? 'root' : 'an ordinary user'}`, { skip }, () => {
  let ground: SandboxGround
  let secret: string
  let server: Server
  let port: number

  before(async () => {
    process.env.SLIPWAY_TEST_SECRET = SECRET
    ground = await openGround()
    secret = join(ground.place, 'state/secret-7c1f.txt')
    writeFileSync(secret, SECRET)
    writeFileSync(join(ground.place, 'buildpacks/run'), 'original')
    server = createServer(socket => socket.end(SECRET)).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    port = (server.address() as { port: number }).port
  })
  after(async () => {
    server?.close()
    await ground?.[Symbol.asyncDispose]()
  })

  for (const actor of ACTORS) {
    describe(`${actor} code`, () => {
      it('finds no file of the host, by path, by walking, or through other processes', async () => {
        const { output } = await act(
          ground,
          actor,
          `
for path in [${JSON.stringify(secret)}, '/proc/1/root${secret}', '/proc/self/root${secret}', '/proc/2/root${secret}', '../../../..${secret}', '/proc/self/cwd/..${secret}']:
    attempt('open', lambda: read(path))
for directory, names, files in os.walk('/'):
    if directory == '/proc': names[:] = [name for name in names if not name.isdigit()]
    if 'secret-7c1f.txt' in files: print('found in', directory)
for pid in processes():
    for link in ['root', 'cwd']:
        try:
            if os.path.exists(f'/proc/{pid}/{link}${secret}'): print('reached through', pid)
        except OSError: pass
print('walked')
`,
        )
        assert.equal(attempts(output).open, 'ENOENT', output)
        assert.doesNotMatch(output, /done|found|reached/)
        assert.match(output, /walked/)
        writeFileSync(join(ground.place, 'workspace/secret-7c1f.txt'), 'the twin')
        const twin = await act(
          ground,
          actor,
          `
for directory, names, files in os.walk('/'):
    if directory == '/proc': names[:] = []
    if 'secret-7c1f.txt' in files: print('found in', directory)
`,
        )
        rmSync(join(ground.place, 'workspace/secret-7c1f.txt'))
        assert.match(twin.output, /found in \/workspace/)
      })

      it('sees no variable of ours, in its own environment or in any other', async () => {
        const { output } = await act(
          ground,
          actor,
          `
print(os.environ)
for pid in processes():
    try: print(read(f'/proc/{pid}/environ'))
    except OSError: pass
`,
        )
        assert.doesNotMatch(output, new RegExp(`${SECRET}|SLIPWAY`))
        const twin = await act(ground, actor, `print(os.environ['GIVEN'])`, {
          env: { PATH: '/usr/bin', GIVEN: 'the-twin' },
        })
        assert.match(twin.output, /the-twin/)
      })

      it('sees, signals and reads no process outside', async () => {
        const outer = spawn('sleep', ['1000'], { env: { ...process.env, ATTACKED: SECRET } })
        try {
          const { output } = await act(
            ground,
            actor,
            `
for pid in processes():
    try: print(read(f'/proc/{pid}/cmdline'))
    except OSError: pass
attempt('kill', lambda: os.kill(${outer.pid}, signal.SIGKILL))
attempt('open process', lambda: call((434, 434), ${outer.pid}, 0))
attempt('read memory', lambda: read('/proc/${outer.pid}/mem'))
attempt('priority', lambda: os.setpriority(os.PRIO_PROCESS, ${outer.pid}, 19))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
attempt('kill all', lambda: os.kill(-1, signal.SIGTERM))
`,
          )
          assert.doesNotMatch(output, /sleep|slipway-sandbox|bwrap/)
          const results = attempts(output)
          for (const label of ['kill', 'open process', 'priority'])
            assert.match(results[label] ?? '', /^E(SRCH|INVAL)$/)
          assert.equal(results['read memory'], 'ENOENT')
          assert.equal(outer.exitCode, null)
          assert.equal(outer.signalCode, null)
        } finally {
          outer.kill('SIGKILL')
        }
        const twin = await act(
          ground,
          actor,
          `
child = subprocess.Popen(['sleep', '1000'])
print(b'sleep' in read(f'/proc/{child.pid}/cmdline') or 'starting')
child.kill()
print('ended by', -child.wait())
`,
        )
        assert.match(twin.output, /ended by 9/)
      })

      it('changes nothing of the system, of buildpacks or of the kernel', async () => {
        const before = fingerprint(ground)
        const { output } = await act(
          ground,
          actor,
          `
for path in ['/', '/etc', '/usr/bin', '/cnb/buildpacks', '/platform', '/proc', '/proc/1', '/sys', '/var/tmp', '/root']:
    attempt('create', lambda: open(os.path.join(path, 'new'), 'w'))
for path in ['/etc/passwd', '/usr/bin/python3', '/cnb/buildpacks/run', '/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', '/proc/sysrq-trigger', '/proc/self/oom_score_adj']:
    attempt('write', lambda: open(path, 'r+b').write(b'x'))
for path in ['/etc/passwd', '/usr/bin/python3.13', '/cnb/buildpacks/run', '/']:
    attempt('mode', lambda: os.chmod(path, 0o777))
    attempt('time', lambda: os.utime(path, (1, 1)))
attempt('rename', lambda: os.rename('/etc/passwd', '/etc/passwd2'))
attempt('unlink', lambda: os.unlink('/cnb/buildpacks/run'))
attempt('link', lambda: os.link('/usr/bin/python3.13', '/tmp/python'))
`,
        )
        assert.doesNotMatch(output, /done/, output)
        assert.match(output, /EROFS/)
        assert.deepEqual(fingerprint(ground), before)
        const twin = await act(
          ground,
          actor,
          `
for path in ['/tmp', '/home/cnb', '/dev/shm'] + ([] if ${actor === 'detect' ? 'True' : 'False'} else ['/workspace', '/layers']):
    attempt(path, lambda: open(os.path.join(path, 'new'), 'w'))
`,
        )
        assert.doesNotMatch(twin.output, /: E/)
        assert.match(twin.output, /\/tmp: done/)
      })

      it('reaches no network, and no service of this machine', async () => {
        const { output } = await act(
          ground,
          actor,
          `
attempt('loopback', lambda: socket.create_connection(('127.0.0.1', ${port}), 5))
attempt('outside', lambda: socket.create_connection(('192.0.2.1', 80), 5))
attempt('metadata', lambda: socket.create_connection(('169.254.169.254', 80), 5))
print('interfaces', [name for _, name in socket.if_nameindex()])
`,
        )
        const { loopback, outside, metadata } = attempts(output)
        assert.deepEqual([loopback, outside, metadata], ['ECONNREFUSED', 'ENETUNREACH', 'ENETUNREACH'])
        assert.match(output, /interfaces \['lo'\]/)
        const code = `print(socket.create_connection(('127.0.0.1', ${port}), 5).recv(100))`
        const twin = await act(ground, actor, code, { network: 'host' })
        assert.match(twin.output, new RegExp(SECRET))
      })

      it('makes no namespaces, mounts nothing and leaves its root in no way', async () => {
        const { output } = await act(
          ground,
          actor,
          `
for label, flag in [('user', 0x10000000), ('mount', 0x20000), ('process', 0x20000000), ('network', 0x40000000), ('ipc', 0x8000000), ('group', 0x2000000), ('time', 0x80)]:
    attempt('unshare ' + label, lambda: call((272, 97), flag))
attempt('clone', lambda: call((56, 220), 0x10000000 | 17, 0, 0, 0, 0))
attempt('clone3', lambda: call((435, 435), 0, 0))
attempt('setns', lambda: call((308, 268), os.open('/proc/self/ns/user', os.O_RDONLY), 0))
attempt('mount', lambda: call((165, 40), b'none', b'/tmp', b'tmpfs', 0, 0))
attempt('bind', lambda: call((165, 40), b'/', b'/tmp', b'', 4096, 0))
attempt('umount', lambda: call((166, 39), b'/workspace', 2))
attempt('pivot', lambda: call((155, 41), b'/tmp', b'/tmp'))
attempt('chroot', lambda: call((161, 51), b'/tmp'))
attempt('fsopen', lambda: call((430, 430), b'tmpfs', 0))
attempt('open tree', lambda: call((428, 428), -100, b'/', 1))
attempt('move mount', lambda: call((429, 429), -100, b'/', -100, b'/tmp', 0))
attempt('handle', lambda: call((304, 265), -100, b'', 0))
`,
        )
        const results = attempts(output)
        assert.equal(results.clone3, 'ENOSYS')
        delete results.clone3
        assert.equal(Object.keys(results).length, 18)
        for (const [label, result] of Object.entries(results)) assert.match(result, /^E(PERM|FAULT)$/, label)
        const twin = await act(
          ground,
          actor,
          `
import threading
thread = threading.Thread(target=lambda: print('a thread ran'))
thread.start(); thread.join()
attempt('unshare files', lambda: call((272, 97), 0x400))
print('child ended with', os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)[1])
`,
        )
        assert.match(twin.output, /a thread ran/)
        assert.match(twin.output, /unshare files: done/)
        assert.match(twin.output, /child ended with 0/)
      })

      it('gains no privilege by set-user-id files, device nodes or capabilities', async () => {
        const { output } = await act(
          ground,
          actor,
          `
import shutil
shutil.copy('/usr/bin/id', '/tmp/id'); os.chmod('/tmp/id', 0o6755)
print('as', subprocess.run(['/tmp/id', '-u'], capture_output=True, text=True).stdout.strip())
attempt('setuid', lambda: os.setuid(0))
attempt('setgid', lambda: os.setgid(0))
attempt('groups', lambda: os.setgroups([0]))
attempt('disk', lambda: os.mknod('/tmp/disk', stat.S_IFBLK | 0o666, os.makedev(8, 0)))
attempt('memory', lambda: os.mknod('/tmp/memory', stat.S_IFCHR | 0o666, os.makedev(1, 1)))
attempt('chown', lambda: os.chown('/tmp/id', 0, 0))
for name in ['mem', 'kmsg', 'fuse', 'kvm', 'sda', 'vda', 'net/tun', 'console', 'tty0', 'loop0']:
    if os.path.exists('/dev/' + name): print('device', name)
for line in open('/proc/self/status'):
    if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp:')): print(line.strip())
`,
        )
        assert.match(output, /^as 1001$/m)
        assert.doesNotMatch(output, /done|device/, output)
        assert.equal([...output.matchAll(/^Cap\w+:\t0{16}$/gm)].length, 5)
        assert.match(output, /NoNewPrivs:\t1/)
        assert.match(output, /Seccomp:\t2/)
        const twin = await act(
          ground,
          actor,
          `
attempt('pipe', lambda: os.mkfifo('/tmp/pipe'))
attempt('own', lambda: os.setuid(1001))
attempt('null', lambda: open('/dev/null', 'r+b').write(b'x'))
attempt('random', lambda: open('/dev/urandom', 'rb').read(1))
`,
        )
        assert.deepEqual(new Set(Object.values(attempts(twin.output))), new Set(['done']))
      })

      it('traces no process, and reads neither keys nor the kernel', async () => {
        const { output } = await act(
          ground,
          actor,
          `
child = subprocess.Popen(['sleep', '1000'])
attempt('trace me', lambda: call((101, 117), 0, 0, 0, 0))
attempt('attach', lambda: call((101, 117), 16, child.pid, 0, 0))
attempt('read vm', lambda: call((310, 270), child.pid, 0, 0, 0, 0, 0))
attempt('write memory', lambda: open(f'/proc/{child.pid}/mem', 'r+b'))
attempt('take file', lambda: call((438, 438), call((434, 434), child.pid, 0), 0, 0))
attempt('add key', lambda: call((248, 217), b'user', b'name', b'value', 5, -3))
attempt('request key', lambda: call((249, 218), b'user', b'name', 0, -3))
attempt('key', lambda: call((250, 219), 0, -3, 0))
attempt('log', lambda: call((103, 116), 3, 0, 0))
attempt('bpf', lambda: call((321, 280), 0, 0, 0))
attempt('perf', lambda: call((298, 241), 0, 0, -1, -1, 0))
attempt('fault', lambda: call((323, 282), 0))
attempt('ring', lambda: call((425, 425), 1, 0))
attempt('module', lambda: call((313, 273), 0, b'', 0))
attempt('name', lambda: call((170, 161), b'evil', 4))
attempt('clock', lambda: call((227, 112), 0, 0))
attempt('newer than known', lambda: call((1000, 1000)))
child.kill()
try: print('keys', len(read('/proc/keys')), 'kmsg', len(read('/proc/kcore')))
except OSError: pass
`,
        )
        const results = attempts(output)
        assert.equal(results['newer than known'], 'ENOSYS')
        assert.equal(results['write memory'], 'EROFS')
        delete results['newer than known']
        delete results['write memory']
        assert.equal(Object.keys(results).length, 15)
        for (const [label, result] of Object.entries(results)) assert.equal(result, 'EPERM', label)
        const twin = await act(
          ground,
          actor,
          `print('own pid', call((39, 172)) == os.getpid(), call((186, 178)) > 0)`,
        )
        assert.match(twin.output, /own pid True True/)
      })

      it('is ended when it speaks for another architecture', { skip: process.arch !== 'x64' }, async () => {
        const code = (number: string) => `
print('asked', flush=True)
print('answered', call((${number}, 0)))
`
        const { output, signal } = await act(ground, actor, code('0x40000000 + 39'))
        assert.match(output, /asked/)
        assert.doesNotMatch(output, /answered/)
        if (actor !== 'package script') assert.equal(signal, 'SIGSYS')
        assert.match((await act(ground, actor, code('39'))).output, /answered/)
      })

      it('opens sockets of no other kind, and changes no interface', async () => {
        const { output } = await act(
          ground,
          actor,
          `
for label, family, kind, protocol in [('packet', 17, 3, 0), ('vsock', 40, 1, 0), ('bluetooth', 31, 1, 0), ('crypto', 38, 5, 0), ('raw', 2, 3, 1), ('raw six', 10, 3, 58), ('audit', 16, 3, 9), ('netfilter', 16, 3, 12)]:
    attempt(label, lambda: socket.socket(family, kind, protocol))
`,
          { network: 'host' },
        )
        const results = attempts(output)
        assert.equal(Object.keys(results).length, 8)
        for (const [label, result] of Object.entries(results))
          assert.match(result, /^E(PERM|AFNOSUPPORT)$/, label)
        const twin = await act(
          ground,
          actor,
          `
for label, family, kind in [('stream', 2, 1), ('datagram', 10, 2), ('local', 1, 1), ('routes', 16, 3)]:
    attempt(label, lambda: socket.socket(family, kind))
`,
          { network: 'host' },
        )
        assert.deepEqual(new Set(Object.values(attempts(twin.output))), new Set(['done']))
      })

      it('has nothing to do with control groups of the host', async () => {
        const { output } = await act(
          ground,
          actor,
          `
for line in open('/proc/self/cgroup'): print('group', line.strip())
for path in ['/sys/fs/cgroup/cgroup.procs', '/sys/fs/cgroup/memory/release_agent', '/sys/fs/cgroup/release_agent']:
    attempt('join', lambda: open(path, 'w'))
`,
        )
        for (const [, path] of output.matchAll(/^group \d+:[^:]*:(.*)$/gm)) assert.equal(path, '/')
        assert.doesNotMatch(output, /done/)
        assert.match(output, /^join: E/m)
      })
    })
  }

  it('does not show what bubblewrap was started from, nor lets it be changed', async () => {
    const { output } = await act(
      ground,
      'build',
      `
print(os.listdir('/proc/1'))
for path in ['/proc/1/exe', '/proc/1/mem', '/proc/1/fd', '/proc/1/task/1/exe', '/proc/1/map_files']:
    attempt('first process', lambda: os.stat(path))
print(os.readlink('/proc/self/exe'))
`,
    )
    assert.match(output, /^\[\]$/m)
    assert.deepEqual(attempts(output), { 'first process': 'ENOENT' })
    assert.match(output, /^\/usr\/bin\/python3/m)
  })

  it('pushes no input into the terminal that it is started from, and does not take it', async t => {
    const program = join(import.meta.dirname, '../support/terminal-run.ts')
    const command = `${process.execPath} --import tsx ${program}`
    const { error, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' })
    if (error) return t.diagnostic('reduced: there is no `script` here to make a terminal with')
    assert.match(stdout, /terminal True/)
    assert.deepEqual(attempts(stdout.replaceAll('\r', '')), {
      push: 'EPERM',
      'push wide': 'EPERM',
      paste: 'EPERM',
      take: 'EPERM',
      controlling: 'ENXIO',
      size: 'done',
    })
    assert.doesNotMatch(stdout, /pushed/)
  })

  it("leaves the host's device nodes alone", async () => {
    const before = statSync('/dev/null').mode
    await act(ground, 'build', `attempt('null', lambda: os.chmod('/dev/null', 0o600))`)
    assert.equal(statSync('/dev/null').mode, before)
  })

  it('takes no option for bubblewrap out of words that images and buildpacks chose', async () => {
    const options = ['--ro-bind', join(ground.place, 'state'), '/mnt']
    const read = ['cat', '/mnt/secret-7c1f.txt']
    const injected = ['x', ...options].join('\0')
    const env = { PATH: '/usr/bin' }
    for (const change of [
      { env: { ...env, EVIL: injected } },
      { env: { ...env, [injected]: 'x' } },
      { cwd: ['/', ...options].join('\0') },
      { hostname: injected },
      { mounts: [{ mode: 'tmpfs', inside: ['/run', ...options].join('\0') } as const] },
    ])
      await assert.rejects(ground.run(read, change), { code: 'SANDBOX_WORD_REFUSED' })
    const words = { env: { ...env, LIKE: options.join('\n') }, hostname: '--ro-bind', cwd: '/tmp' }
    const twin = await ground.run(['sh', '-c', 'echo "$LIKE"; uname -n; cat /mnt/*'], words)
    assert.match(twin.output, /^--ro-bind$/m)
    assert.doesNotMatch(twin.output, new RegExp(SECRET))
    const mounts = [{ mode: 'ro', host: join(ground.place, 'state'), inside: '/mnt' } as const]
    assert.match((await ground.run(read, { mounts })).output, new RegExp(SECRET))
  })

  it('gives a program what was promised for its stdin when it is there, and ends it where that fails', async () => {
    const limits = { processes: 50 }
    const cat = ['sh', '-c', 'echo started; cat; echo; readlink /proc/self/fd/0']
    for (const prepared of [undefined, 'promised'] as const) {
      if (prepared) ground.sandbox.prepare(limits, prepared)
      let tell = (_: Uint8Array) => {}
      const stdin = new Promise<Uint8Array>(resolve => (tell = resolve))
      const running = ground.run(cat, { stdin, limits })
      await new Promise(setImmediate)
      tell(Buffer.from('the call'))
      const { output, exitCode } = await running
      assert.equal(exitCode, 0)
      assert.match(output, /^started\nthe call\nsocket:/, prepared)
    }
    ground.sandbox.prepare(limits, 'promised')
    const without = await ground.run(['cat'], { limits })
    assert.deepEqual([without.output, without.exitCode], ['', 0])
    const failing = ground.run(['sleep', '1000'], { stdin: Promise.reject(new Error('no call')), limits })
    assert.equal((await failing).reason, 'aborted')
    const stop = new AbortController()
    const waiting = ground.run(['cat'], { stdin: new Promise(() => {}), signal: stop.signal, limits })
    setImmediate(() => stop.abort())
    assert.equal((await waiting).reason, 'aborted')
  })

  it('takes a program at its word only for its own output', async () => {
    const { output, exitCode, reason } = await ground.run([
      'sh',
      '-c',
      'echo "bwrap: execvp nothing: No such file or directory" >&2; exit 1',
    ])
    assert.deepEqual([exitCode, reason], [1, 'exit'])
    assert.match(output, /execvp nothing/)
    await assert.rejects(ground.run(['no-such-program']), { code: 'SANDBOX_COMMAND_MISSING' })
  })
})

/** Everything of the host that an attack on a build could have changed, in short. */
function fingerprint({ root, place }: SandboxGround): unknown {
  const of = (path: string) => {
    const { mode, mtimeMs, size, nlink } = lstatSync(path)
    return [path, mode, mtimeMs, size, nlink]
  }
  return [
    ...['', '/etc', '/usr/bin', '/etc/passwd', '/usr/bin/python3.13'].map(name => of(root + name)),
    ...readdirSync(join(place, 'buildpacks')).map(name => of(join(place, 'buildpacks', name))),
    readFileSync(join(place, 'buildpacks/run'), 'utf8'),
    readFileSync('/proc/sys/kernel/core_pattern', 'utf8'),
  ]
}
