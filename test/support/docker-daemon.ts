import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { debianPackages } from './debian.ts'

/** A Docker daemon of a test's own. */
export interface DockerDaemon extends AsyncDisposable {
  /** Value of `DOCKER_HOST`; every user may use the socket. */
  readonly host: string
  readonly socket: string
}

/**
 * Starts Debian's Docker daemon with a directory of its own, no network and no privileges over other daemons. It stops when disposed. A string says why that
 * cannot be done here (not root, no packages); a test then passes reduced, and says so.
 */
export async function dockerDaemon(): Promise<DockerDaemon | string> {
  if (process.getuid?.() !== 0) return 'a Docker daemon needs root'
  const packages = await debianPackages(['docker.io', 'containerd', 'runc'])
  if (typeof packages === 'string') return packages
  const directory = await mkdtemp(join(tmpdir(), 'slipway-dockerd-'))
  await chmod(directory, 0o755)
  const at = (name: string) => join(directory, name)
  await writeFile(at('none.json'), '{}')
  const programs = ['usr/bin', 'usr/sbin'].map(name => join(packages.root, name))
  const socket = at('docker.sock')
  const words = [
    ...['--bridge=none', '--iptables=false', '--ip6tables=false', '--storage-driver=vfs'],
    ...['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')],
    ...['--config-file', at('none.json'), '--host', `unix://${socket}`],
  ]
  const child = spawn(join(packages.root, 'usr/sbin/dockerd'), words, {
    env: { ...process.env, PATH: [...programs, process.env.PATH].join(':') },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told = (told + text).slice(-4000)))
  const ended = once(child, 'close').catch(() => [])
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    // Its containerd is a process of its own, which it waits for; its directories are mount points no more.
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  for (let patience = 0; patience < 300; patience++) {
    if (await answers(socket)) {
      await chmod(socket, 0o666)
      return { host: `unix://${socket}`, socket, [Symbol.asyncDispose]: stop }
    }
    if (child.exitCode !== null) break
    await sleep(100)
  }
  await stop()
  return `a Docker daemon does not start here: ${told.split('\n').slice(-4).join(' ').trim()}`
}

async function answers(socketPath: string): Promise<boolean> {
  return await new Promise(done => {
    const asked = request({ socketPath, path: '/_ping' }, answer => {
      answer.resume()
      done(answer.statusCode === 200)
    })
    asked.once('error', () => done(false))
    asked.end()
  })
}
