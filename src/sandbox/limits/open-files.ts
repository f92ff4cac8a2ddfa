import { readdir, readlink, stat } from 'node:fs/promises'

/** Bytes held by files that processes have open and that no directory lists. */
export interface Unnamed {
  /** Files in memory (memfd_create(2)). */
  readonly memory: number
  /** Files on these file systems that were removed while they were open. */
  readonly disk: number
}

/** Counts them, each once. Processes and files that go meanwhile count as nothing. */
export async function unnamedFiles(pids: readonly number[], devices: ReadonlySet<number>): Promise<Unnamed> {
  const seen = new Set<string>()
  let memory = 0
  let disk = 0
  for (const pid of pids) {
    const directory = `/proc/${pid}/fd`
    for (const name of await readdir(directory).catch(() => [])) {
      const stats = await stat(`${directory}/${name}`).catch(() => undefined)
      if (!stats?.isFile() || stats.nlink > 0) continue
      const identity = `${stats.dev}:${stats.ino}`
      if (seen.has(identity)) continue
      seen.add(identity)
      if (devices.has(stats.dev)) disk += stats.blocks * 512
      else if ((await readlink(`${directory}/${name}`).catch(() => '')).startsWith('/memfd:'))
        memory += stats.blocks * 512
    }
  }
  return { memory, disk }
}
