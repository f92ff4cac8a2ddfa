import { readdir, readFile } from 'node:fs/promises'

/**
 * Ends what still runs of a sandbox whose owner was killed: bubblewrap dies with its parent, but a first process that it has just made can miss that. It is known by
 * its words, of which one is the sandbox's directory or below it; with it dies everything in its namespace. Those of other users are left alone.
 */
export async function endOrphans(directory: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (!words.split('\0').some(word => word === directory || word.startsWith(`${directory}/`))) continue
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended meanwhile, or belongs to another user.
    }
  }
}
