import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { byBytes, isSystemError } from '#std'

/**
 * Finds the regular files below a directory whose path (relative to it, `/` between names) matches a pattern, in byte order.
 * `*` and `?` stay within a name, `[ab]` and `[!ab]` are one character, `**` is any number of directories. Names that begin with a dot
 * match only where the pattern says the dot. Links are not followed. A pattern that leaves the directory matches nothing.
 */
export async function findFiles(directory: string, pattern: string): Promise<string[]> {
  const found = new Set<string>()
  const steps = pattern.split('/').filter(step => step !== '' && step !== '.')
  if (steps.length > 0) await walk(directory, '', steps, found)
  return [...found].sort(byBytes)
}

async function walk(
  root: string,
  place: string,
  steps: readonly string[],
  found: Set<string>,
): Promise<void> {
  const [step = '', ...rest] = steps
  if (step === '**' && rest.length > 0) await walk(root, place, rest, found)
  const fits = matcher(step === '**' ? '*' : step)
  for (const entry of await entriesOf(join(root, place))) {
    if (!fits(entry.name)) continue
    const path = place === '' ? entry.name : `${place}/${entry.name}`
    if (entry.isFile() && (rest.length === 0 || rest.join('/') === '**')) found.add(path)
    if (entry.isDirectory() && (step === '**' || rest.length > 0))
      await walk(root, path, step === '**' ? steps : rest, found)
  }
}

async function entriesOf(directory: string) {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function matcher(step: string): (name: string) => boolean {
  const hidden = step.startsWith('.')
  const parts = step.match(/\*+|\?|\[[!^]?\]?[^\]]*\]|[^*?[]+|\[/g) ?? []
  const expression = new RegExp(`^${parts.map(partOf).join('')}$`, 's')
  return name => (hidden || !name.startsWith('.')) && expression.test(name)
}

function partOf(part: string): string {
  if (part.startsWith('*')) return '.*'
  if (part === '?') return '.'
  if (part.length > 2 && part.startsWith('[')) {
    const negated = /^\[[!^]/.test(part)
    return `[${negated ? '^' : ''}${part.slice(negated ? 2 : 1, -1).replace(/[\\\][^]/g, '\\$&')}]`
  }
  return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
