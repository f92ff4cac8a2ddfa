import { readdirSync, readFileSync } from 'node:fs'

const CLOSE_ON_EXEC = 0o2000000

/**
 * Numbers of the open files that a child of this process would inherit, beyond stdin, stdout and stderr: those that some ancestor left
 * open. (Node closes its own on exec.) Such a file could be a door to the host, so each is replaced in sandboxed programs.
 */
export function inheritableDescriptors(directory = '/proc/self'): number[] {
  const found: number[] = []
  for (const name of readdirSync(`${directory}/fd`)) {
    const number = Number(name)
    if (number <= 2) continue
    try {
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`${directory}/fdinfo/${name}`, 'latin1'))?.[1]
      if (flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) found.push(number)
    } catch {
      // It was the handle of the directory listing itself.
    }
  }
  return found
}
