import { noOverlays } from './problems.ts'
import type { Bwrap } from './program.ts'
import type { EphemeralRoot, Mount, RunSpec, WritableRoot } from './spec.ts'

/** Numbers of the open files that bubblewrap is started with. */
export const DESCRIPTORS = { arguments: 3, filter: 4, status: 5, gate: 6 } as const

/** What the arguments depend on besides the program to run. */
export interface Surroundings {
  readonly bwrap: Bwrap
  /** True if a fresh /proc can be mounted; else the outer one is shown. */
  readonly ownProc: boolean
  /** Files of /proc to cover, and the empty file to cover them with. */
  readonly masks: readonly string[]
  readonly nothing: string
  /** Host directory with device nodes of our own, by name; for a caller who owns the host's. */
  readonly devices: { readonly directory: string; readonly names: readonly string[] } | undefined
  /** True if there is a system-call filter at `DESCRIPTORS.filter`. */
  readonly filtered: boolean
}

type Root = string | EphemeralRoot | WritableRoot

const USER = 1001

/** The arguments for one program, to be handed over at `DESCRIPTORS.arguments` separated by NUL: so they show in no process list. */
export function bwrapArguments(spec: RunSpec, root: Root, surroundings: Surroundings): string[] {
  const { network, uid = USER, gid = USER, hostname = 'slipway', cwd, env, mounts } = spec
  return [
    ...[
      '--unshare-user',
      '--disable-userns',
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--unshare-cgroup-try',
    ],
    ...(network === 'none' ? ['--unshare-net'] : []),
    ...['--uid', String(uid), '--gid', String(gid), '--hostname', hostname],
    ...['--cap-drop', 'ALL', '--die-with-parent', '--new-session'],
    ...rootArguments(root, surroundings.bwrap),
    ...procArguments(surroundings),
    ...deviceArguments(surroundings, spec.limits?.memoryBytes),
    ...mounts.flatMap(mount => mountArguments(mount, spec.limits?.memoryBytes)),
    '--clearenv',
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', cwd],
    ...(surroundings.filtered ? ['--seccomp', String(DESCRIPTORS.filter)] : []),
    ...['--json-status-fd', String(DESCRIPTORS.status), '--block-fd', String(DESCRIPTORS.gate)],
  ]
}

function rootArguments(root: Root, bwrap: Bwrap): string[] {
  if (typeof root === 'string') return ['--ro-bind', root, '/']
  if ('writable' in root) return ['--bind', root.writable, '/']
  if (!bwrap.overlays)
    throw noOverlays(`bubblewrap ${bwrap.version} cannot mount overlays; 0.11 is the first that can`)
  return [...root.lower.flatMap(directory => ['--overlay-src', directory]), '--tmp-overlay', '/']
}

/**
 * A fresh /proc, read-only: for a caller who is root on the host, files such as /proc/sys/kernel/core_pattern would else be open, because
 * the kernel asks there for the user and not for a capability. The first process is bubblewrap itself: what it was started from, and with which
 * words, is covered.
 */
function procArguments({ ownProc, masks, nothing }: Surroundings): string[] {
  if (!ownProc) return ['--ro-bind', '/proc', '/proc', ...masks.flatMap(path => ['--ro-bind', nothing, path])]
  return [
    ...['--proc', '/proc', ...masks.flatMap(path => ['--ro-bind', nothing, path])],
    ...[
      '--perms',
      '555',
      '--size',
      '4096',
      '--tmpfs',
      '/proc/1',
      '--remount-ro',
      '/proc/1',
      '--remount-ro',
      '/proc',
    ],
  ]
}

function deviceArguments({ devices }: Surroundings, memory: number | undefined): string[] {
  return [
    ...['--dev', '/dev'],
    ...(devices?.names.flatMap(name => ['--dev-bind', `${devices.directory}/${name}`, `/dev/${name}`]) ?? []),
    ...mountArguments({ mode: 'tmpfs', inside: '/dev/shm' }, memory),
  ]
}

/** Memory files count as memory: where that is limited and no control group does it, the file system's own limit does. */
function mountArguments(mount: Mount, memory: number | undefined): string[] {
  if (mount.mode !== 'tmpfs') return [mount.mode === 'ro' ? '--ro-bind' : '--bind', mount.host, mount.inside]
  const size = mount.sizeBytes ?? memory
  return ['--perms', '1777', ...(size ? ['--size', String(size)] : []), '--tmpfs', mount.inside]
}
