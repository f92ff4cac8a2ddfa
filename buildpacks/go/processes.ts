import type { Process } from '#sdk'
import type { Program } from './compile.ts'
import { importPathOf } from './targets.ts'

/** Names of programs, those of targets that are named by their directory first and in the order of the targets, then all others. */
export async function inOrder(
  programs: readonly Program[],
  targets: readonly string[],
  application: string,
): Promise<string[]> {
  const paths = await Promise.all(targets.map(target => importPathOf(application, target)))
  const rank = ({ info }: Program) => {
    const place = info ? paths.indexOf(info.path) : -1
    return place < 0 ? targets.length : place
  }
  return programs.toSorted((a, b) => rank(a) - rank(b)).map(({ name }) => name)
}

/** What a layer remembers, read as names; whatever else is there counts as nothing. */
export function namesIn({ programs }: Readonly<Record<string, unknown>>): string[] {
  return Array.isArray(programs) ? programs.filter(name => typeof name === 'string') : []
}

/** A process for each program, by its name; the first is `web` as well, and starts by default. */
export function processesOf(names: readonly string[], directory: string): Process[] {
  const own = names.map(name => ({
    // Other characters are not allowed in the type of a process.
    type: name.replace(/[^\w.-]/g, '-'),
    command: [`${directory}/${name}`],
  }))
  const [first] = own
  if (!first) return []
  if (own.some(({ type }) => type === 'web')) return own.map(each => ({ ...each, default: each === first }))
  return [{ type: 'web', command: first.command, default: true }, ...own]
}
