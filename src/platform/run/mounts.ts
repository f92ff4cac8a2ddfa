import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from '#sandbox'
import { type BindingSource, writePlatformDirectory } from '../build/platform-directory.ts'
import { namingMounts } from '../executables/naming-mounts.ts'

/** What a running image is handed besides its own files. */
export interface RunSurroundings {
  readonly bindings: readonly BindingSource[]
  readonly network: 'host' | 'none'
  readonly hostname: string
  readonly memoryBytes: number | undefined
  /** The working directory, if the image does not have it. */
  readonly missingDirectory: string | undefined
}

/** Where bindings lie inside; `SERVICE_BINDING_ROOT` says so. */
export const BINDINGS_INSIDE = '/platform/bindings'

/**
 * Prepares, in an empty directory, the files of this machine that a container is expected to have: names of hosts, the resolver's settings, service bindings,
 * its limits as control group files. Memory file systems for what is never part of an image.
 */
export async function runMounts(directory: string, surroundings: RunSurroundings): Promise<Mount[]> {
  const { bindings, missingDirectory } = surroundings
  const mounts: Mount[] = [
    ...(await namingMounts(directory, surroundings)),
    await limitsMount(directory, surroundings.memoryBytes),
  ]
  if (bindings.length > 0) {
    const platform = join(directory, 'platform')
    await writePlatformDirectory(platform, {}, bindings)
    mounts.push({ mode: 'ro', host: join(platform, 'bindings'), inside: BINDINGS_INSIDE })
  }
  if (missingDirectory !== undefined) {
    const empty = join(directory, 'working-directory')
    await mkdir(empty)
    mounts.push({ mode: 'rw', host: empty, inside: missingDirectory })
  }
  return mounts
}

/** Programs that fit themselves to their container read its limits here (Linux cgroup-v2); whoever keeps the limit, they see it. */
async function limitsMount(directory: string, memoryBytes: number | undefined): Promise<Mount> {
  const host = join(directory, 'cgroup')
  await mkdir(host)
  const files = {
    'cgroup.controllers': 'cpu memory pids',
    'memory.max': memoryBytes === undefined ? 'max' : String(memoryBytes),
    'cpu.max': 'max 100000',
    'pids.max': 'max',
  }
  for (const [name, content] of Object.entries(files))
    await writeFile(join(host, name), `${content}\n`, { mode: 0o444 })
  return { mode: 'ro', host, inside: '/sys/fs/cgroup', optional: true }
}
