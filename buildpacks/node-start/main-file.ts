import { join, normalize } from 'node:path'
import { isFile } from '#sdk'

/** Files that apps are started by where nothing else is said, the first that is there. */
export const MAINS = [
  'server.js',
  'app.js',
  'main.js',
  'index.js',
  'server.mjs',
  'app.mjs',
  'main.mjs',
  'index.mjs',
]

/** The first of several files that is there; names that lead out of the directory are none. */
export async function firstFile(directory: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const path = normalize(name)
    if (!/^(?:\/|\.\.(?:\/|$))/.test(path) && (await isFile(join(directory, path)))) return path
  }
  return undefined
}

/** What `main` of package.json means, by the rule of `require`: a file, the same with `.js`, or a directory with an index.js. */
export function mainFile(directory: string, main: string): Promise<string | undefined> {
  return firstFile(directory, [main, `${main}.js`, `${main}/index.js`])
}
