import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { debianPackages } from './debian.ts'
import { freePort } from './free-port.ts'
import { referenceTools } from './reference.ts'

/** A registry on loopback; it stops when disposed. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: plain http, as every client of the field speaks to a loopback registry. */
  readonly host: string
}

/** Starts `crane registry serve` (the Go implementation of go-containerregistry), contents in memory. A string says why it cannot be had. */
export async function startCraneRegistry(): Promise<TestRegistry | string> {
  const tools = await referenceTools(['crane'])
  if (typeof tools === 'string') return tools
  const host = `127.0.0.1:${await freePort()}`
  return startServer(tools.crane, ['registry', 'serve', '--address', host], host)
}

/** What a Debian registry asks for. */
export interface DebianRegistryOptions {
  /** PEM files of the server's certificate and key: it then speaks https. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** A file of `NAME:BCRYPT` lines: it then asks for basic authentication. */
  readonly htpasswd?: string
  /** Further lines of its configuration (YAML, unindented). */
  readonly more?: string
}

/** Starts Debian's `docker-registry` (the reference server, Docker Distribution 2.8), unpacked and not installed. A string says why it cannot be had. */
export async function startDebianRegistry({
  tls,
  htpasswd,
  more = '',
}: DebianRegistryOptions = {}): Promise<TestRegistry | string> {
  const packages = await debianPackages(['docker-registry'])
  if (typeof packages === 'string') return packages
  const directory = await mkdtemp(join(tmpdir(), 'registry-'))
  const host = `127.0.0.1:${await freePort()}`
  const lines = [
    'version: 0.1',
    'log: { level: error }',
    `storage: { filesystem: { rootdirectory: ${directory}/data }, delete: { enabled: true } }`,
    `http: { addr: "${host}"${tls ? `, tls: { certificate: ${tls.certificate}, key: ${tls.key} }` : ''} }`,
    ...(htpasswd ? [`auth: { htpasswd: { realm: test, path: ${htpasswd} } }`] : []),
    more,
  ]
  await writeFile(join(directory, 'config.yml'), `${lines.join('\n')}\n`)
  const program = join(packages.root, 'usr/bin/docker-registry')
  const server = await startServer(program, ['serve', join(directory, 'config.yml')], host, {
    answers: () => listens(host),
  })
  return {
    host,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Runs a registry server until it is disposed; waits until it listens. */
export async function startServer(
  command: string,
  words: readonly string[],
  host: string,
  { env = {}, answers = () => listens(host) }: ServerOptions = {},
): Promise<TestRegistry> {
  const child = spawn(command, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-4000)
  })
  for (let tries = 0; !(await answers()); tries++) {
    if (child.exitCode !== null || tries > 200) {
      await end(child)
      throw new Error(`the registry does not answer: ${said}`)
    }
    await sleep(50)
  }
  return { host, [Symbol.asyncDispose]: () => end(child) }
}

/** How a server is started and how one knows that it is there. */
export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly answers?: () => Promise<boolean>
}

function listens(host: string): Promise<boolean> {
  const [name, port] = host.split(':')
  return new Promise(done => {
    const socket = connect(Number(port), name)
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(done => child.once('exit', done))
  child.kill('SIGKILL')
  await ended
}
