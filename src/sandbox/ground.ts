import { randomBytes } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs'
import { chmod, copyFile, lstat, writeFile } from 'node:fs/promises'
import { release } from 'node:os'
import { basename, join } from 'node:path'
import { ownedDirectory, type TemporaryDirectory } from '#std'
import { makeSpecialFiles } from './devices.ts'
import { type CgroupHome, findCgroupHome, sweepCgroups } from './limits/cgroup.ts'
import { canLimitProcesses } from './limits/resource-limits.ts'
import { endOrphans } from './orphans.ts'
import { Pipes } from './pipes.ts'
import { type Bwrap, type BwrapProgram, commandOf } from './program.ts'
import { filterArchitecture, seccompFilter } from './seccomp/filter.ts'

/** All that runs of one bubblewrap sandbox share. */
export interface Ground extends AsyncDisposable {
  readonly bwrap: Bwrap
  /** The words that start bubblewrap. */
  readonly command: readonly string[]
  readonly pipes: Pipes
  /** An open file that is always empty. */
  readonly nothing: number
  /** Path of an empty file that nobody but us can find. */
  readonly nothingPath: string
  /** Opens a nameless file with this content, for stdin: a program may open it again as /dev/stdin. */
  fileOf(content: Uint8Array): number
  readonly filter: Buffer | undefined
  readonly devices: { readonly directory: string; readonly names: readonly string[] } | undefined
  readonly masks: readonly string[]
  readonly cgroups: CgroupHome | undefined
  /** RLIMIT_NPROC holds for this caller. */
  readonly limitsProcesses: boolean
}

/** Files of /proc that tell or do too much when their owner is root on the host, who is the program's user then. */
const MASKS = [
  'kcore',
  'keys',
  'kmsg',
  'latency_stats',
  'sched_debug',
  'slabinfo',
  'sysrq-trigger',
  'timer_list',
]

/** Prepares what runs share below a private directory of `parent`. */
export async function prepareGround(bwrap: Bwrap, parent: string): Promise<Ground> {
  const directory = await ownedDirectory(parent, 'sandbox-', endOrphans)
  const root = process.getuid?.() === 0
  const nothingPath = join(directory.path, 'nothing')
  await writeFile(nothingPath, '', { mode: 0o444 })
  const [program, { pipes, devices }, cgroups, prlimit] = await Promise.all([
    ownCopy(bwrap.program, directory),
    makeSpecialFiles(directory.path, root),
    findCgroupHome(),
    root ? false : canLimitProcesses(release()),
  ])
  if (cgroups) await sweepCgroups(cgroups)
  const nothing = openSync(root ? nothingPath : '/dev/null', 'r')
  const architecture = filterArchitecture(process.arch)
  const masks = root ? await Promise.all(MASKS.map(name => isThere(`/proc/${name}`))) : []
  return {
    bwrap,
    // By this word an orphan is known; the program itself never sees it.
    command: [...program, '--setenv', 'SLIPWAY_SANDBOX', directory.path],
    pipes: new Pipes(directory.path, pipes),
    nothing,
    nothingPath,
    fileOf(content) {
      const path = join(directory.path, `stdin-${randomBytes(6).toString('hex')}`)
      writeFileSync(path, content, { mode: 0o600, flag: 'wx' })
      const opened = openSync(path, 'r')
      unlinkSync(path)
      return opened
    },
    filter: architecture && seccompFilter(architecture),
    devices,
    masks: masks.filter(path => path !== undefined),
    cgroups,
    limitsProcesses: prlimit,
    async [Symbol.asyncDispose]() {
      closeSync(nothing)
      await directory[Symbol.asyncDispose]()
    },
  }
}

/**
 * A sandboxed program can reach the file that its first process was started from through /proc/1/exe, and change its mode if it belongs to the same
 * user. So a file of ours is not started itself, but a copy that only we can find.
 */
async function ownCopy(program: BwrapProgram, directory: TemporaryDirectory): Promise<readonly string[]> {
  const [file, ...words] = commandOf(program)
  if ((await lstat(file)).uid !== process.getuid?.()) return [file, ...words]
  const copy = join(directory.path, basename(file))
  await copyFile(file, copy)
  await chmod(copy, 0o500)
  return [copy, ...words]
}

async function isThere(path: string): Promise<string | undefined> {
  try {
    await lstat(path)
    return path
  } catch {
    return undefined
  }
}
