import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Plugin } from 'esbuild'

const STATEMENT = /^(import|export) \{([^}]*)\} from '(#[a-z]+)'$/gm
const EXPORT = /^export \{([^}]*)\} from '(\.[^']+)'$/gm

/**
 * Lets a bundle load the files that a program needs of an area, and not the whole area: an import through a front door (`#area`, its `mod.ts`) becomes one of the files that the door
 * opens to. Nothing else changes, since no file of ours does anything when it is loaded but say what it has (`sideEffects` in package.json).
 */
export function throughFrontDoors(root: string): Plugin {
  const doors = new Map<string, ReadonlyMap<string, string>>()
  const doorOf = (area: string) => {
    const known = doors.get(area) ?? readDoor(join(root, 'src', area.slice(1), 'mod.ts'))
    doors.set(area, known)
    return known
  }
  return {
    name: 'through-front-doors',
    setup({ onLoad }) {
      onLoad({ filter: new RegExp(`^${join(root, 'src')}/.*\\.ts$`) }, ({ path }) => ({
        contents: readFileSync(path, 'utf8').replace(STATEMENT, (statement, verb, names, area) =>
          direct(statement, verb, namesIn(names), doorOf(area)),
        ),
        loader: 'ts',
      }))
    },
  }
}

/** The same statement, straight to the files; of as many lines, so that source maps stay right. */
function direct(
  statement: string,
  verb: string,
  names: readonly string[],
  door: ReadonlyMap<string, string>,
): string {
  const byFile = new Map<string, string[]>()
  for (const name of names) {
    const file = door.get(name.replace(/ as .*$/, ''))
    if (file === undefined) throw new Error(`There is no ${name} behind the door of: ${statement}`)
    byFile.set(file, [...(byFile.get(file) ?? []), name])
  }
  const statements = [...byFile].map(
    ([file, own]) => `${verb} {${own.join(', ')}} from ${JSON.stringify(file)}`,
  )
  return statements.join('; ') + '\n'.repeat(statement.split('\n').length - 1)
}

/** Where each name of a front door comes from. */
function readDoor(path: string): ReadonlyMap<string, string> {
  const found = [...readFileSync(path, 'utf8').matchAll(EXPORT)]
  return new Map(
    found.flatMap(([, names = '', file = '']) =>
      namesIn(names).map((name): [string, string] => [name, resolve(dirname(path), file)]),
    ),
  )
}

/** The names of a statement that are there when a program runs. */
function namesIn(text: string): string[] {
  return text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && !name.startsWith('type '))
}
