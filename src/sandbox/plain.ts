import { type StdioOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants as fileConstants } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isInContainer } from './container.ts'
import { inheritableDescriptors } from './descriptors.ts'
import { supervise } from './limits/supervise.ts'
import { followProcesses, lookBefore } from './plain-processes.ts'
import { commandMissing, notInContainer, plainCannot } from './problems.ts'
import { signalProcess } from './processes.ts'
import type { Outcome, Output, RunSpec, Sandbox } from './spec.ts'
import { checkWords } from './words.ts'

/** Milliseconds for output to arrive once all is over; a stray process that was not found must not hold us up. */
const GRACE = 2_000

/** Marks the environment of everything that a run starts, so that what stays behind can be found. */
const MARK = 'SLIPWAY_SANDBOX_RUN'

/**
 * A sandbox that isolates nothing by itself: programs are ordinary children with a clean environment. For the inside of a container (a pod of the
 * "restricted" kind), which is then the isolation. Throws a `Problem` (`SANDBOX_PLAIN_REFUSED`) elsewhere.
 */
export async function openPlainSandbox(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Sandbox> {
  if (!(await isInContainer(environment))) throw notInContainer()
  const look = 'supervision: looked at every 0.2 s, ended when over'
  return {
    driver: 'plain',
    description: 'no isolation of its own: this container is the sandbox, and programs see all of it',
    enforcement: { processes: look, memory: look, disk: look },
    overlays: false,
    prepare() {},
    run: runPlainly,
    [Symbol.asyncDispose]: async () => {},
  }
}

async function runPlainly(spec: RunSpec): Promise<Outcome> {
  checkWords(spec)
  await checkPlaces(spec)
  await requireProgram(spec)
  if (spec.signal?.aborted) return { reason: 'aborted', seconds: 0 }
  const begun = performance.now()
  const mark = randomBytes(12).toString('hex')
  const [file = '', ...words] = spec.command
  const over = new AbortController()
  let cut: Outcome['reason'] | undefined
  const before = await lookBefore()
  const child = spawn(
    '/bin/sh',
    ['-c', 'umask 022; ulimit -c 0; cd "$1" && shift && exec "$@"', 'sh', spec.cwd, file, ...words],
    {
      env: { ...spec.env, [MARK]: mark },
      cwd: '/',
      detached: true,
      stdio: stdioFor(spec),
    },
  )
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve([code, signal]))
  })
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  const end = (reason: Outcome['reason']) => {
    cut ??= reason
    if (child.pid !== undefined) killGroup(child.pid)
  }
  if (typeof spec.stdout === 'function') child.stdout?.on('data', spec.stdout)
  if (typeof spec.stderr === 'function') child.stderr?.on('data', spec.stderr)
  child.stdin?.on('error', () => {}) // The program need not read it.
  if (spec.stdin instanceof Promise)
    spec.stdin.then(
      bytes => child.stdin?.end(bytes),
      () => end('aborted'),
    )
  else child.stdin?.end(spec.stdin === 'inherit' ? undefined : spec.stdin)
  const aborted = () => end('aborted')
  spec.signal?.addEventListener('abort', aborted, { once: true })
  const { seconds, memoryBytes, processes, diskBytes } = spec.limits ?? {}
  const timer = seconds === undefined ? undefined : setTimeout(end, seconds * 1000, 'timeout')
  const directories = spec.mounts.flatMap(mount => (mount.mode === 'rw' ? [mount.host] : []))
  const followed = child.pid === undefined ? undefined : followProcesses(child.pid, `${MARK}=${mark}`, before)
  const watch =
    !followed || (memoryBytes ?? processes ?? diskBytes) === undefined
      ? undefined
      : supervise(
          followed.living,
          {
            ...(memoryBytes !== undefined && { memory: { bytes: memoryBytes, places: [] } }),
            ...(processes !== undefined && { processes }),
            ...(diskBytes !== undefined && { disk: { bytes: diskBytes, directories } }),
          },
          over.signal,
        ).then(reason => reason && end(reason))
  try {
    const pid = child.pid
    spec.started?.({
      async kill(signal, whom = 'program') {
        if (pid !== undefined) signalProcess(whom === 'program' ? pid : -pid, signal)
      },
    })
    const [code, signal] = await ended
    if (pid !== undefined) killGroup(pid)
    await followed?.endAll()
    await Promise.race([closed, sleep(GRACE, undefined, { ref: false })])
    child.stdout?.destroy()
    child.stderr?.destroy()
    const spent = (performance.now() - begun) / 1000
    if (cut) return { reason: cut, seconds: spent }
    if (signal) return { exitCode: 128 + constants.signals[signal], signal, reason: 'signal', seconds: spent }
    return { exitCode: code ?? 1, reason: 'exit', seconds: spent }
  } finally {
    over.abort()
    clearTimeout(timer)
    spec.signal?.removeEventListener('abort', aborted)
    await watch
  }
}

/** Without namespaces nothing can be put anywhere: every place has to be there already, under its own name. */
async function checkPlaces({ root, mounts }: RunSpec): Promise<void> {
  if (root !== undefined && root !== '/') throw plainCannot('another root needs a mount namespace')
  for (const mount of mounts) {
    if (mount.mode === 'tmpfs') continue
    if ((await realpath(mount.host)) !== (await realpath(mount.inside).catch(() => undefined))) {
      if (mount.optional) continue
      throw plainCannot(`${mount.inside} is not the directory that it should be (${mount.host})`)
    }
  }
}

/** The three streams, and nothing behind the numbers of files that some ancestor left open. */
function stdioFor({ stdin, stdout, stderr }: RunSpec): StdioOptions {
  const all: StdioOptions = [stdin === 'inherit' ? 'inherit' : 'pipe', stdioOf(stdout), stdioOf(stderr)]
  for (const leaked of inheritableDescriptors()) while (all.length <= leaked) all.push('ignore')
  return all
}

/** Looks a program up as execvp(3) does, so that one that is missing is told from one that ends with 127. */
async function requireProgram({ command: [file = ''], cwd, env }: RunSpec): Promise<void> {
  const places = file.includes('/')
    ? [resolve(cwd, file)]
    : (env.PATH ?? '/usr/bin:/bin').split(':').map(directory => resolve(cwd, directory, file))
  for (const place of places) {
    try {
      await access(place, fileConstants.X_OK)
      if ((await stat(place)).isFile()) return
    } catch {
      // Not there.
    }
  }
  throw commandMissing(file, 'it is nowhere in PATH, or may not be executed')
}

function stdioOf(output: Output | undefined): 'inherit' | 'ignore' | 'pipe' {
  if (output === 'inherit') return 'inherit'
  return typeof output === 'function' ? 'pipe' : 'ignore'
}

function killGroup(leader: number): void {
  signalProcess(-leader, 'SIGKILL')
}
