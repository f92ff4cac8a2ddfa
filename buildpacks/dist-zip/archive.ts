import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildContext, explodeZip, findFiles, openZip, Problem } from '#sdk'

/**
 * Finds the archive of a distribution in the top directory of an app: the only zip file that has a `bin` and jars in a `lib` inside, or a
 * tar file that is all there is.
 */
export async function findArchive(application: string): Promise<string | undefined> {
  const zips: string[] = []
  for (const file of await findFiles(application, '*.zip'))
    if (await isDistribution(join(application, file))) zips.push(file)
  if (zips.length > 0) return zips.length === 1 ? zips[0] : undefined
  const all = (await readdir(application)).filter(name => !name.startsWith('.') && name !== 'project.toml')
  return all.length === 1 ? all.find(name => /\.(tar|tgz|tar\.gz)$/.test(name)) : undefined
}

async function isDistribution(file: string): Promise<boolean> {
  const names = await namesIn(file)
  return (
    names.some(name => /^([^/]+\/)?bin\/[^/]+$/.test(name)) &&
    names.some(name => /^([^/]+\/)?lib\/[^/]+\.jar$/.test(name))
  )
}

/** The names in a zip file; none for one that is damaged or encrypted, which some other part of the app may make use of. */
async function namesIn(file: string): Promise<string[]> {
  try {
    await using archive = await openZip(file)
    return archive.entries.map(({ name }) => name)
  } catch (error) {
    if (error instanceof Problem && error.code === 'ZIP_MALFORMED') return []
    throw error
  }
}

/** Unpacks the archive where it lies, and removes it. */
export async function unpackArchive(
  file: string,
  { application, run }: Pick<BuildContext, 'application' | 'run'>,
) {
  const path = join(application, file)
  if (file.endsWith('.zip')) await explodeZip(path, application)
  else
    await run('tar', [
      '--extract',
      '--file',
      path,
      '--no-same-owner',
      '--no-same-permissions',
      '--directory',
      application,
    ])
  await rm(path)
}
