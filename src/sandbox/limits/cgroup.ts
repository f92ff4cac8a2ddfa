import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, isSystemError, openDisposable, thisProcess } from '#std'
import type { Limits } from '../spec.ts'

/** Places where this process may make control groups (cgroups(7)): one for version 2, or one per controller for version 1. */
export type CgroupHome =
  | { readonly version: 2; readonly directory: string }
  | { readonly version: 1; readonly memory: string; readonly pids: string }

/** A control group for the processes of one sandbox. Disposal removes it; all its processes have to be dead. */
export interface Cgroup extends AsyncDisposable {
  /** Takes in a process, and so all that it starts from then on. */
  admit(pid: number): Promise<void>
  /** True if the kernel ended a process in it for want of memory. */
  ranOutOfMemory(): Promise<boolean>
}

/**
 * Finds where this process may make control groups: beside its own (as in sessions that systemd runs for a user), below its own (a container that was
 * given one), or anywhere for root. Undefined if nowhere.
 */
export async function findCgroupHome(): Promise<CgroupHome | undefined> {
  const [own, mounts] = await Promise.all([text('/proc/self/cgroup'), text('/proc/self/mountinfo')])
  if (own === undefined || mounts === undefined) return undefined
  return (await findUnified(own, mounts)) ?? (await findSplit(own, mounts))
}

async function findUnified(own: string, mounts: string): Promise<CgroupHome | undefined> {
  const path = /^0::(.*)$/m.exec(own)?.[1]
  const mount = mountOf(mounts, 'cgroup2')
  if (path === undefined || !mount) return undefined
  const here = posix.join(mount.at, posix.relative(mount.root, path) || '.')
  for (const directory of path === '/' ? [here] : [dirname(here), here]) {
    const control = await text(join(directory, 'cgroup.subtree_control'))
    const controllers = control?.trim().split(' ') ?? []
    if (!controllers.includes('memory') || !controllers.includes('pids')) continue
    if (await isWritable(directory, join(directory, 'cgroup.procs'))) return { version: 2, directory }
  }
  return undefined
}

async function findSplit(own: string, mounts: string): Promise<CgroupHome | undefined> {
  const places = await Promise.all(
    ['memory', 'pids'].map(async controller => {
      const path = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(own)?.[1]
      const mount = mountOf(mounts, 'cgroup', controller)
      if (path === undefined || !mount) return undefined
      const directory = posix.join(mount.at, posix.relative(mount.root, path) || '.')
      return (await isWritable(directory)) ? directory : undefined
    }),
  )
  const [memory, pids] = places
  return memory && pids ? { version: 1, memory, pids } : undefined
}

/** Removes groups whose makers were killed before they could; one that has processes stays. Their names say who made them. */
export async function sweepCgroups(home: CgroupHome): Promise<void> {
  for (const directory of home.version === 2 ? [home.directory] : [home.memory, home.pids])
    for (const name of await readdir(directory).catch(() => [])) {
      const [, pid, start] = /^slipway-(\d+)-(\d+|-)-[0-9a-f]{12}$/.exec(name) ?? []
      if (pid === undefined || (await isAlive(`${pid} ${start}`))) continue
      await rmdir(join(directory, name)).catch(() => {})
    }
}

/** bubblewrap itself, outside of the sandbox, is in the group, too. */
const STARTER = 1

/** Makes a control group with these limits. Throws a system error if the kernel refuses. */
export async function makeCgroup(home: CgroupHome, limits: Limits): Promise<Cgroup> {
  const name = `slipway-${(await thisProcess()).replace(' ', '-')}-${randomBytes(6).toString('hex')}`
  return home.version === 2 ? makeUnified(join(home.directory, name), limits) : makeSplit(home, name, limits)
}

async function makeUnified(directory: string, { memoryBytes, processes }: Limits): Promise<Cgroup> {
  await mkdir(directory)
  try {
    if (memoryBytes !== undefined) {
      await writeFile(join(directory, 'memory.max'), String(memoryBytes))
      await writeIfThere(join(directory, 'memory.swap.max'), '0')
      await writeIfThere(join(directory, 'memory.oom.group'), '1')
    }
    if (processes !== undefined) await writeFile(join(directory, 'pids.max'), String(processes + STARTER))
  } catch (error) {
    await removeGroup(directory)
    throw error
  }
  return {
    admit: pid => admitTo(directory, pid),
    ranOutOfMemory: async () => killed(await text(join(directory, 'memory.events'))),
    [Symbol.asyncDispose]: () => removeGroup(directory),
  }
}

/** A group of each controller that a limit needs: the kernel takes milliseconds to make one. */
async function makeSplit(home: CgroupHome & { version: 1 }, name: string, limits: Limits): Promise<Cgroup> {
  const memory = limits.memoryBytes === undefined ? undefined : join(home.memory, name)
  const pids = limits.processes === undefined ? undefined : join(home.pids, name)
  const directories = [memory, pids].filter(directory => directory !== undefined)
  const remove = async () => void (await Promise.all(directories.map(removeGroup)))
  try {
    await Promise.all(directories.map(directory => mkdir(directory)))
    if (memory !== undefined) {
      await writeFile(join(memory, 'memory.limit_in_bytes'), String(limits.memoryBytes))
      await writeIfThere(join(memory, 'memory.memsw.limit_in_bytes'), String(limits.memoryBytes))
    }
    if (pids !== undefined && limits.processes !== undefined)
      await writeFile(join(pids, 'pids.max'), String(limits.processes + STARTER))
  } catch (error) {
    await remove()
    throw error
  }
  return {
    admit: async pid => {
      for (const directory of directories) await admitTo(directory, pid)
    },
    ranOutOfMemory: async () =>
      memory !== undefined && killed(await text(join(memory, 'memory.oom_control'))),
    [Symbol.asyncDispose]: remove,
  }
}

/** By an open file, whose writing happens beside everything else: the kernel may take its time. */
async function admitTo(directory: string, pid: number): Promise<void> {
  await using file = await openDisposable(join(directory, 'cgroup.procs'), 'w')
  await file.handle.writeFile(String(pid))
}

function killed(events: string | undefined): boolean {
  return Number(/^oom_kill (\d+)$/m.exec(events ?? '')?.[1] ?? 0) > 0
}

/** A group can be removed once the kernel has collected its last process, which can be a moment after that is dead. */
async function removeGroup(directory: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      return await rmdir(directory)
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return
      if (!isSystemError(error, 'EBUSY')) throw error
      await sleep(10)
    }
  }
}

/** The mount point of a cgroup hierarchy, and which part of it is mounted there (proc_pid_mountinfo(5)). */
function mountOf(
  mounts: string,
  type: string,
  controller?: string,
): { at: string; root: string } | undefined {
  for (const line of mounts.split('\n')) {
    const [front = '', back = ''] = line.split(' - ')
    const [, , , root, at] = front.split(' ')
    const [kind, , options = ''] = back.split(' ')
    if (kind !== type || !root || !at) continue
    if (controller === undefined || options.split(',').includes(controller)) return { root, at }
  }
  return undefined
}

async function writeIfThere(path: string, value: string): Promise<void> {
  try {
    await access(path, constants.W_OK)
  } catch {
    return
  }
  await writeFile(path, value)
}

async function isWritable(...paths: string[]): Promise<boolean> {
  try {
    for (const path of paths) await access(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

async function text(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
