import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { constants } from 'node:os'
import { isInContainer } from './container.ts'
import { supervise } from './limits/supervise.ts'
import { commandMissing, notInContainer, plainCannot } from './problems.ts'
import { livingTree, signalProcess } from './processes.ts'
import type { Outcome, Output, RunSpec, Sandbox } from './spec.ts'

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
    run: runPlainly,
    [Symbol.asyncDispose]: async () => {},
  }
}

async function runPlainly(spec: RunSpec): Promise<Outcome> {
  await checkPlaces(spec)
  if (spec.signal?.aborted) return { reason: 'aborted', seconds: 0 }
  const begun = performance.now()
  const mark = randomBytes(12).toString('hex')
  const [file = '', ...words] = spec.command
  const over = new AbortController()
  let cut: Outcome['reason'] | undefined
  const child = spawn(
    '/bin/sh',
    ['-c', 'umask 022; ulimit -c 0; cd "$1" && shift && exec "$@"', 'sh', spec.cwd, file, ...words],
    {
      env: { ...spec.env, [MARK]: mark },
      cwd: '/',
      detached: true,
      stdio: [spec.stdin === 'inherit' ? 'inherit' : 'pipe', stdioOf(spec.stdout), stdioOf(spec.stderr)],
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
  child.stdin?.end(spec.stdin === 'inherit' ? undefined : spec.stdin)
  const aborted = () => end('aborted')
  spec.signal?.addEventListener('abort', aborted, { once: true })
  const { seconds, memoryBytes, processes, diskBytes } = spec.limits ?? {}
  const timer = seconds === undefined ? undefined : setTimeout(end, seconds * 1000, 'timeout')
  const directories = spec.mounts.flatMap(mount => (mount.mode === 'rw' ? [mount.host] : []))
  const watch =
    child.pid === undefined || (memoryBytes ?? processes ?? diskBytes) === undefined
      ? undefined
      : supervise(
          child.pid,
          {
            ...(memoryBytes !== undefined && { memoryBytes }),
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
    await killMarked(mark)
    await closed
    const spent = (performance.now() - begun) / 1000
    if (cut) return { reason: cut, seconds: spent }
    if (code === 127) throw commandMissing(file, 'the shell cannot find it')
    if (signal) return { exitCode: 128 + constants.signals[signal], signal, reason: 'signal', seconds: spent }
    return { exitCode: code ?? 1, reason: 'exit', seconds: spent }
  } finally {
    over.abort()
    clearTimeout(timer)
    spec.signal?.removeEventListener('abort', aborted)
    await watch
  }
}

/** Kills whatever carries the mark, again and again until nothing does: a program that leaves its group is still found. */
async function killMarked(mark: string): Promise<void> {
  const needle = `${MARK}=${mark}`
  for (let found = true; found; ) {
    found = false
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue
      const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '')
      if (!environment.split('\0').includes(needle)) continue
      found = true
      for (const each of await livingTree(Number(name))) signalProcess(each.pid, 'SIGKILL')
    }
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

function stdioOf(output: Output | undefined): 'inherit' | 'ignore' | 'pipe' {
  if (output === 'inherit') return 'inherit'
  return typeof output === 'function' ? 'pipe' : 'ignore'
}

function killGroup(leader: number): void {
  signalProcess(-leader, 'SIGKILL')
}
