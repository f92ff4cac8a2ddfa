import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, removeTree } from '#std'

/** Which source files stay in the image: patterns with colons between them, `undefined` where the user gave none. */
export interface Kept {
  readonly include: string | undefined
  readonly exclude: string | undefined
}

/**
 * Removes the source: all of it, unless the user says which files to keep (`include`), which to remove (`exclude`), or both. A pattern
 * that matches a directory means all in it.
 */
export async function removeSource(application: string, { include, exclude }: Kept): Promise<void> {
  if (include === undefined && exclude === undefined) {
    for (const name of await readdir(application, { encoding: 'buffer' }))
      await removeTree(Buffer.concat([Buffer.from(`${application}/`), name]) as unknown as string)
    return
  }
  const included = patternsOf(include)
  const excluded = patternsOf(exclude)
  await sweep(application, '', path => {
    const wanted = included.length === 0 || included.some(pattern => matchesOrBelow(path, pattern))
    return wanted && !excluded.some(pattern => matchesOrBelow(path, pattern))
  })
}

function patternsOf(text: string | undefined): string[] {
  return (text ?? '').split(':').filter(pattern => pattern !== '')
}

async function sweep(root: string, path: string, stays: (path: string) => boolean): Promise<void> {
  for (const entry of await readdir(join(root, path), { withFileTypes: true })) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory()) {
      await sweep(root, inner, stays)
      await rmdir(join(root, inner)).catch(error => {
        if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST')) throw error
      })
    } else if (!stays(inner)) await removeTree(join(root, inner))
  }
}

/** True if a path matches a pattern (`*` and `?` within a name, `**` any number of names), or lies below one that does. */
export function matchesOrBelow(path: string, pattern: string): boolean {
  const steps = pattern.split('/').filter(step => step !== '' && step !== '.')
  const names = path.split('/')
  return names.some((_, index) => matches(names.slice(0, index + 1), steps))
}

function matches(names: readonly string[], steps: readonly string[]): boolean {
  const [step, ...others] = steps
  if (step === undefined) return names.length === 0
  if (step === '**') return matches(names, others) || (names.length > 0 && matches(names.slice(1), steps))
  const [name, ...rest] = names
  return name !== undefined && expressionOf(step).test(name) && matches(rest, others)
}

function expressionOf(step: string): RegExp {
  const source = step.replace(/[\\^$.+()|{}[\]]|\*+|\?/g, token =>
    token.startsWith('*') ? '.*' : token === '?' ? '.' : `\\${token}`,
  )
  return new RegExp(`^${source}$`, 's')
}
