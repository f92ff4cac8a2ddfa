import { readFile } from 'node:fs/promises'

/** Names the time since the machine started; what was not forced to the disk can be relied on no longer than that. Linux only: elsewhere undefined. */
export async function bootId(): Promise<string | undefined> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined)
}
