import { execFile, spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { debianPackages } from './debian.ts'

const run = promisify(execFile)

/** A container that a cluster would let anybody run (Kubernetes, Pod Security Standards, "restricted"), and nothing more. */
export interface Pod {
  /** The root file system, which the container finds read-only. */
  readonly root: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly user: { readonly uid: number; readonly gid: number }
  /** Directories of this machine by the place where the container finds them, writable. */
  readonly volumes: Readonly<Record<string, string>>
  /** The same for what it may only read. */
  readonly shown: Readonly<Record<string, string>>
}

/** How a container ended. */
export interface PodOutcome {
  readonly exitCode: number
  readonly output: string
}

/** Runs containers; a string says why none can be run here. */
export type PodRunner = (pod: Pod, directory: string) => Promise<PodOutcome>

/**
 * Runs containers as a cluster runs a restricted pod: an ordinary user, no capability, `no_new_privs`, a read-only root, the default seccomp profile of the
 * container engines, the network of the host. With Debian's runc, unpacked and not installed. A string says why that cannot be done here.
 */
export async function podRunner(): Promise<PodRunner | string> {
  const packages = await debianPackages(['runc', 'golang-github-containers-common'])
  if (typeof packages === 'string') return packages
  const { root } = packages
  const runc = join(root, 'usr/sbin/runc')
  try {
    await run(runc, ['--version'])
  } catch (error) {
    return `runc does not run: ${error}`
  }
  const seccomp = seccompOf(
    JSON.parse(await readFile(join(root, 'usr/share/containers/seccomp.json'), 'utf8')),
  )
  return async (pod, directory) => {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'config.json'), JSON.stringify(configOf(pod, seccomp)))
    const state = join(directory, 'state')
    const id = `slipway-${process.pid}-${(await run('date', ['+%N'])).stdout.trim()}`
    const words = ['--root', state, 'run', '--bundle', directory, id]
    const child = spawn(runc, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    const parts: Buffer[] = []
    child.stdout.on('data', part => parts.push(part))
    child.stderr.on('data', part => parts.push(part))
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', code => resolve(code ?? -1))
    })
    await rm(state, { recursive: true, force: true })
    return { exitCode, output: Buffer.concat(parts).toString() }
  }
}

const NO_CAPABILITIES = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] }

/** The container in the words of the OCI runtime specification (config.md, config-linux.md). */
function configOf({ root, command, environment, user, volumes, shown }: Pod, seccomp: unknown) {
  const own = process.getuid?.() ?? 0
  const mapped = own !== 0
  const id = (inside: number, outside: number) => [{ containerID: inside, hostID: outside, size: 1 }]
  const bind = (places: Pod['volumes'], mode: string) =>
    Object.entries(places).map(([destination, source]) => ({
      ...{ destination, source, type: 'bind', options: ['rbind', mode, 'nosuid', 'nodev'] },
    }))
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user,
      args: command,
      env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      cwd: '/',
      capabilities: NO_CAPABILITIES,
      noNewPrivileges: true,
    },
    root: { path: root, readonly: true },
    hostname: 'pod',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        ...{ destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777'],
      },
      ...bind(shown, 'ro'),
      ...bind(volumes, 'rw'),
    ],
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts', ...(mapped ? ['user'] : [])].map(type => ({ type })),
      ...(mapped && { uidMappings: id(user.uid, own), gidMappings: id(user.gid, process.getgid?.() ?? own) }),
      seccomp,
      maskedPaths: [
        '/proc/acpi',
        '/proc/kcore',
        '/proc/keys',
        '/proc/timer_list',
        '/proc/scsi',
        '/sys/firmware',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  }
}

interface EngineRule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly unknown[] | null
  readonly includes?: { readonly caps?: readonly string[]; readonly arches?: readonly string[] }
  readonly excludes?: { readonly caps?: readonly string[]; readonly arches?: readonly string[] }
}

/** What Docker's profile, unlike Podman's, lets nobody do without CAP_SYS_ADMIN. */
const PRIVILEGED = [
  ...[
    'clone3',
    'fsconfig',
    'fsmount',
    'fsopen',
    'fspick',
    'mount',
    'mount_setattr',
    'move_mount',
    'open_tree',
  ],
  ...['pivot_root', 'setns', 'umount', 'umount2', 'unshare', 'chroot', 'keyctl', 'add_key', 'request_key'],
]

/** The profile of the container engines as a runtime takes it: the rules that hold for a process without capabilities, on this architecture. */
function seccompOf(profile: {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly syscalls: readonly EngineRule[]
}) {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const here = ({ arches }: { arches?: readonly string[] }, otherwise: boolean) =>
    arches && arches.length > 0 ? arches.includes(arch) : otherwise
  const holds = ({ includes = {}, excludes = {} }: EngineRule) =>
    (includes.caps ?? []).length === 0 && here(includes, true) && !here(excludes, false)
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: arch === 'arm64' ? ['SCMP_ARCH_AARCH64'] : ['SCMP_ARCH_X86_64'],
    syscalls: profile.syscalls.filter(holds).map(({ names, action, errnoRet, args }) => ({
      ...{
        names: names.filter(name => !PRIVILEGED.includes(name)),
        action,
        ...(errnoRet !== undefined && { errnoRet }),
      },
      ...(args && args.length > 0 && { args }),
    })),
  }
}
