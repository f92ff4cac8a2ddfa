import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { byBytes } from '#std'
import { findInRoot, readInRoot } from '../roots/root-files.ts'

/** Names of files that are variables, or variables with an operator (`PATH.append`). */
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/

/**
 * The files of an `env` directory of a root that others made, by name: what is linked is looked up within the root alone, so that no builder can hand files of
 * this machine to its buildpacks.
 */
export async function variableFilesIn(root: string, path: string): Promise<Map<string, string>> {
  const directory = await findInRoot([root], path)
  if (!directory?.stats.isDirectory()) return new Map()
  const files = new Map<string, string>()
  for (const name of (await readdir(directory.host)).filter(each => NAME.test(each)).sort(byBytes)) {
    const text = await readInRoot([root], `${directory.inside}/${name}`)
    if (text !== undefined) files.set(name, text)
  }
  return files
}

/** Writes variables into a directory; those that are there already stay. */
export async function writeVariableFiles(
  directory: string,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  await mkdir(directory, { recursive: true })
  const there = new Set(await readdir(directory))
  for (const [name, text] of files) if (!there.has(name)) await writeFile(join(directory, name), text)
}

/** The directories and files below /cnb of a root besides buildpacks and the lifecycle, which buildpacks may look at. */
export async function cnbPlaces(root: string): Promise<{ host: string; inside: string }[]> {
  const cnb = await findInRoot([root], '/cnb')
  if (!cnb?.stats.isDirectory()) return []
  const entries = await readdir(cnb.host, { withFileTypes: true })
  return entries
    .filter(entry => entry.isFile() || entry.isDirectory())
    .filter(({ name }) => !['buildpacks', 'extensions', 'lifecycle'].includes(name))
    .map(({ name }) => ({ host: join(cnb.host, name), inside: `/cnb/${name}` }))
}
