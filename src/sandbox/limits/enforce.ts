import { isSystemError } from '#std'
import { livingTree } from '../processes.ts'
import type { Enforcement, Limits, Outcome, RunSpec } from '../spec.ts'
import { type Cgroup, type CgroupHome, makeCgroup } from './cgroup.ts'
import { limitProcess } from './resource-limits.ts'
import { supervise } from './supervise.ts'

/** What this machine offers to keep limits with. */
export interface Means {
  readonly cgroups: CgroupHome | undefined
  readonly limitsProcesses: boolean
}

/** Limits in force over one sandbox; disposal comes after the death of its processes. */
export interface Enforced extends AsyncDisposable {
  ranOutOfMemory(): Promise<boolean>
}

/** The first process of a run, and the run's control group (`joinCgroup`); `joined` if it was born in that. */
export interface First {
  readonly pid: number
  readonly group: Cgroup | undefined
  readonly joined: boolean
}

/**
 * Puts the limits of a run in force over its first process, which has not begun yet; `end` is called when one is passed. The run's control group
 * is closed with the limits.
 */
export async function enforce(
  means: Means,
  { limits = {}, mounts, root }: RunSpec,
  { pid, group: cgroup, joined }: First,
  end: (reason: Exclude<Outcome['reason'], 'exit' | 'signal'>) => void,
): Promise<Enforced> {
  if (!joined) await cgroup?.admit(pid)
  const processes = cgroup ? undefined : limits.processes
  if (means.limitsProcesses) {
    await limitProcess(pid, {
      ...(processes !== undefined && { processes }),
      ...(limits.diskBytes !== undefined && { fileBytes: limits.diskBytes }),
    })
  }
  const directories = mounts.flatMap(mount => (mount.mode === 'rw' ? [mount.host] : []))
  const watched = {
    ...(!cgroup &&
      limits.memoryBytes !== undefined && {
        memory: { bytes: limits.memoryBytes, places: memoryPlaces(pid, mounts, root) },
      }),
    ...(processes !== undefined && !means.limitsProcesses && { processes }),
    ...(limits.diskBytes !== undefined && { disk: { bytes: limits.diskBytes, directories } }),
  }
  const over = new AbortController()
  const watch =
    Object.keys(watched).length === 0
      ? undefined
      : supervise(() => livingTree(pid), watched, over.signal).then(reason => reason && end(reason))
  return {
    ranOutOfMemory: async () => (await cgroup?.ranOutOfMemory()) ?? false,
    async [Symbol.asyncDispose]() {
      over.abort()
      await watch
      await cgroup?.[Symbol.asyncDispose]()
    },
  }
}

/** The memory file systems of a sandbox, reached through its first process. */
function memoryPlaces(pid: number, mounts: RunSpec['mounts'], root: RunSpec['root']): string[] {
  const inside = mounts.flatMap(mount => (mount.mode === 'tmpfs' ? [mount.inside] : []))
  const overlay = typeof root === 'object' && 'lower' in root ? ['/'] : []
  return ['/dev/shm', ...inside, ...overlay].map(path => `/proc/${pid}/root${path}`)
}

/**
 * Makes a control group, where limits need one, and has the program in it that starts the sandbox. The kernel takes some 10 ms to let the first process in,
 * and none for one that follows at once: so that program goes first, while it starts.
 */
export async function joinCgroup(
  { cgroups }: Means,
  limits: Limits = {},
  pid: number | undefined,
): Promise<Cgroup | undefined> {
  if (pid === undefined || !cgroups) return undefined
  if (limits.memoryBytes === undefined && limits.processes === undefined) return undefined
  const cgroup = await makeCgroup(cgroups, limits)
  try {
    await cgroup.admit(pid)
    return cgroup
  } catch (error) {
    // It has ended already, and somebody else says why.
    if (isSystemError(error, 'ESRCH')) return cgroup
    await cgroup[Symbol.asyncDispose]()
    throw error
  }
}

/** The same in words. */
export function enforcementOf({ cgroups, limitsProcesses }: Means): Enforcement {
  const group = cgroups && `control group (cgroup v${cgroups.version})`
  const look = 'supervision: looked at every 0.2 s, ended when over'
  return {
    processes: group ?? (limitsProcesses ? 'RLIMIT_NPROC in its own user namespace' : look),
    memory: group ?? look,
    disk: limitsProcesses ? `RLIMIT_FSIZE per file, and ${look}` : look,
  }
}
