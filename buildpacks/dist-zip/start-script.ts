import { dirname, join } from 'node:path'
import { findFiles } from '#sdk'

/**
 * Finds the start scripts of a distribution, relative to the application directory: what the user's pattern matches, else the files in a `bin`
 * beside a `lib` that has jars, in the directory or one below it. Scripts for Windows do not count.
 */
export async function findScripts(application: string, pattern: string): Promise<string[]> {
  if (pattern !== '') return await findFiles(application, pattern)
  const scripts: string[] = []
  for (const script of [
    ...(await findFiles(application, 'bin/*')),
    ...(await findFiles(application, '*/bin/*')),
  ]) {
    if (/\.(bat|cmd|ps1)$/i.test(script)) continue
    const libraries = await findFiles(join(application, dirname(script), '..', 'lib'), '*.jar')
    if (libraries.length > 0) scripts.push(script)
  }
  return scripts
}
