import type { Execution, ExecutionOutcome, Place } from '#lifecycle'
import type { Mount, Outcome, RunSpec, Sandbox } from '#sandbox'
import { byBytes, Problem } from '#std'
import type { BuildRoot } from '../builder/root.ts'
import type { MachineCertificates } from '../machine/extra-certificates.ts'
import { namingMounts } from './naming-mounts.ts'
import { memoryOnly, onDisk } from './temporary-mounts.ts'

/** Where Node.js for our own buildpacks lies inside. */
export const NODE_INSIDE = '/cnb/lifecycle/node'

/** What executables of buildpacks are run with. */
export interface ExecutableOptions {
  readonly sandbox: Sandbox
  /** The file system that they run in, and the user that they run as. */
  readonly root: BuildRoot
  /** What is always there besides: Node.js, buildpacks, the dependency server. All read-only. */
  readonly places: readonly Place[]
  /** The network of `bin/build`; `bin/detect` never has one. */
  readonly network: 'none' | 'host'
  /** What the person mounts besides. */
  readonly volumes: readonly Mount[]
  readonly certificates: MachineCertificates | undefined
  /** A directory of this build alone. */
  readonly scratch: string
  /**
   * What `/tmp` and the home are: memory, forgotten with each process; or directories on disk, of which the home stays for the whole build,
   * as buildpacks of others know it.
   */
  readonly temporary: 'memory' | 'disk'
  /** `later` where the executables that follow detection are mostly prepared ones. */
  readonly called: 'later' | undefined
}

const HOSTNAME = 'slipway'
/** Far more than a build has use for, and few enough that one that multiplies without end does not take the machine with it. */
const PROCESSES = 8192

/** Has the sandbox start what the next executable will need, while the build still finds out what that is; one that is prepared gets its call later. */
export function prepareExecutables(sandbox: Sandbox, called?: 'later'): void {
  sandbox.prepare({ processes: PROCESSES }, called && 'promised')
}

/** Runs executables in the sandbox. */
export interface SandboxExecutor {
  /** `stdin` is for a program that gets its call after its start. */
  run(execution: Execution, stdin?: Promise<Uint8Array>): Promise<ExecutionOutcome>
}

/**
 * Runs buildpack executables in the sandbox: a read-only base, the directories that the lifecycle names, `/tmp` and a home,
 * and nothing else of this machine.
 */
export async function sandboxExecutor(options: ExecutableOptions): Promise<SandboxExecutor> {
  const { sandbox, root, places, network, volumes, called } = options
  const files = await machineFiles(options)
  const temporary =
    options.temporary === 'memory' ? memoryOnly(root.user.home) : await onDisk(root, options.scratch)
  return {
    async run(execution, stdin) {
      const { phase, command, cwd, env, readable, writable, output, signal } = execution
      const mounts = mountsOf([...places, ...readable], writable, volumes)
      await using own = await temporary(mounts)
      const running = sandbox.run({
        root: rootOf(options),
        command,
        cwd,
        env,
        mounts: [...own.mounts, ...files, ...mounts],
        uid: root.user.uid,
        gid: root.user.gid,
        network: phase === 'detect' ? 'none' : network,
        stdout: output,
        stderr: output,
        ...(stdin && { stdin }),
        hostname: HOSTNAME,
        limits: { processes: PROCESSES },
        ...(signal && { signal }),
      })
      // Detection is followed by something.
      if (phase === 'detect') prepareExecutables(sandbox, called)
      return await running.then(told, error => notStarted(error, phase))
    },
  }
}

/** A mount for each place, outer ones before those inside them, each once; what may be written may be, even if it is named as readable too. */
function mountsOf(
  readable: readonly Place[],
  writable: readonly Place[],
  volumes: readonly Mount[],
): Mount[] {
  const mounts = new Map<string, Mount>()
  for (const place of readable) mounts.set(place.inside, { mode: 'ro', ...place })
  for (const place of writable) mounts.set(place.inside, { mode: 'rw', ...place })
  for (const volume of volumes) mounts.set(volume.inside, volume)
  return [...mounts.values()].sort((a, b) => byBytes(a.inside, b.inside))
}

/** Places of volumes need not be in the root: an overlay lets them come into being. */
function rootOf({ root: { directory }, volumes, sandbox }: ExecutableOptions): NonNullable<RunSpec['root']> {
  return volumes.length > 0 && sandbox.overlays ? { lower: [directory] } : directory
}

async function machineFiles({ certificates, network, scratch }: ExecutableOptions): Promise<Mount[]> {
  const found: Mount[] = []
  if (certificates) {
    found.push({
      mode: 'ro',
      host: certificates.pem,
      inside: '/etc/ssl/certs/ca-certificates.crt',
      optional: true,
    })
    found.push({ mode: 'ro', host: certificates.java, inside: '/etc/ssl/certs/java/cacerts', optional: true })
  }
  return [...found, ...(await namingMounts(scratch, { network, hostname: HOSTNAME }))]
}

/** That an executable is missing, may not be executed or wants an interpreter which the base has not, is a failure of the buildpack. */
function notStarted(error: unknown, phase: string): ExecutionOutcome {
  if (!(error instanceof Problem) || error.code !== 'SANDBOX_COMMAND_MISSING') throw error
  return {
    why: `its bin/${phase} cannot be started (is it there, executable, and for a program that the build base has?)`,
  }
}

function told({ exitCode, signal, reason }: Outcome): ExecutionOutcome {
  if (reason === 'exit' && exitCode !== undefined) return { exitCode }
  const words = {
    exit: 'ended without a code',
    signal: `was ended by ${signal}`,
    timeout: 'took longer than its limit',
    aborted: 'was stopped',
    memory: 'needed more memory than its limit',
    disk: 'wrote more than its limit',
    processes: 'started more processes than its limit',
  }
  return { why: words[reason] }
}
