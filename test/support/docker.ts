import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { debianPackages } from './debian.ts'

/** A Docker daemon of the test's own; it and its containers stop, and its data goes, when disposed. */
export interface TestDocker extends AsyncDisposable {
  /** `unix://…`, for `DOCKER_HOST`. Only root may speak to it, unless `open` was asked for. */
  readonly host: string
  readonly socket: string
  /** Runs Debian's `docker` client against it; gives its standard output. */
  docker(...words: string[]): Promise<string>
}

/**
 * Starts Debian's Docker daemon by hand, unpacked and not installed, without a network of its own: containers get `--network host` or none.
 * A string says why it cannot run here (not root, no packages, a kernel that refuses); a test then passes reduced, and says so.
 */
export async function startDocker({ open = false } = {}): Promise<TestDocker | string> {
  if (process.getuid?.() !== 0) return 'a Docker daemon needs root'
  const packages = await debianPackages(['docker.io', 'containerd', 'runc', 'libdevmapper1.02.1', 'iptables'])
  if (typeof packages === 'string') return packages
  const { root } = packages
  const directory = await mkdtemp(join(tmpdir(), 'docker-'))
  const socket = join(directory, 'docker.sock')
  const env = {
    ...process.env,
    PATH: `${root}/usr/sbin:${root}/usr/bin:${process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin'}`,
    DOCKER_HOST: `unix://${socket}`,
    LD_LIBRARY_PATH: `${root}/usr/lib/x86_64-linux-gnu:${root}/lib/x86_64-linux-gnu`,
  }
  const places = ['--data-root', `${directory}/data`, '--exec-root', `${directory}/exec`]
  const words = [...places, '--pidfile', `${directory}/pid`, '-H', `unix://${socket}`]
  const quiet = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--log-level=error']
  const daemon = spawn(join(root, 'usr/sbin/dockerd'), [...words, ...quiet], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  daemon.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-4000)
  })
  const docker = async (...arguments_: string[]) => {
    const options = { env, maxBuffer: 1 << 26 }
    return (await promisify(execFile)(join(root, 'usr/bin/docker'), arguments_, options)).stdout
  }
  const stop = async () => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const ended = new Promise(done => daemon.once('exit', done))
      daemon.kill('SIGTERM')
      await ended
    }
    await unmountBelow(directory)
    await rm(directory, { recursive: true, force: true })
  }
  const answers = () =>
    docker('version').then(
      () => true,
      () => false,
    )
  for (let tries = 0; !(existsSync(socket) && (await answers())); tries++) {
    if (daemon.exitCode !== null || tries > 300) {
      await stop()
      return `the Docker daemon does not start: ${said}`
    }
    await sleep(100)
  }
  if (open) await promisify(execFile)('chmod', ['-R', 'a+rwX', socket])
  if (open) await promisify(execFile)('chmod', ['a+x', directory])
  return { host: env.DOCKER_HOST, socket, docker, [Symbol.asyncDispose]: stop }
}

/** The daemon leaves a mount of its network namespace behind. */
async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter(path => path.startsWith(`${directory}/`)).reverse())
    await promisify(execFile)('umount', ['-l', mount])
}
