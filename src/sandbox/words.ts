import { wordRefused } from './problems.ts'
import type { RunSpec } from './spec.ts'

/**
 * Refuses words that hold NUL. The kernel takes none in arguments and variables, and bubblewrap is told its own options separated by it: a variable of a hostile image
 * or buildpack could otherwise go on with an option of its choice. Throws a `Problem` (`SANDBOX_WORD_REFUSED`).
 */
export function checkWords({ command, cwd, env, hostname = '', mounts, root }: RunSpec): void {
  const roots = typeof root === 'object' ? ('lower' in root ? root.lower : [root.writable]) : [root ?? '']
  const named: [string, readonly string[]][] = [
    ['the command', command],
    ['the working directory', [cwd]],
    ['the host name', [hostname]],
    ['a mount', mounts.flatMap(mount => ('host' in mount ? [mount.host, mount.inside] : [mount.inside]))],
    ['the root', roots],
    ...Object.entries(env).map(([name, value]): [string, readonly string[]] => [
      `the variable ${JSON.stringify(name.slice(0, 80))}`,
      [name, value],
    ]),
  ]
  for (const [what, words] of named) if (words.some(word => word.includes('\0'))) throw wordRefused(what)
}
