import { join } from 'node:path'
import { type BuildContext, findFiles, openZip, Problem, parseManifest } from '#sdk'

/** The patterns of built artifacts: named by the user, or looked for in the module that is. */
export function artifactPatterns({ configuration }: Pick<BuildContext, 'configuration'>): string[] {
  const patterns = configuration.words('BP_MAVEN_BUILT_ARTIFACT')
  const module = configuration.text('BP_MAVEN_BUILT_MODULE').trim()
  if (configuration.given('BP_MAVEN_BUILT_ARTIFACT') !== undefined || module === '') return patterns
  return patterns.map(pattern => join(module, pattern))
}

/**
 * Finds what Maven built, relative to the app. Of several files those count that can run: jars with a main class, and web
 * applications. Throws a `Problem` (`MAVEN_NO_ARTIFACT`) if there is none.
 */
export async function findArtifacts(application: string, patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const pattern of patterns) for (const path of await findFiles(application, pattern)) found.add(path)
  const candidates = [...found]
  if (candidates.length === 0) throw noArtifact(patterns)
  if (candidates.length === 1) return candidates
  const running: string[] = []
  for (const path of candidates) if (await canRun(join(application, path))) running.push(path)
  return running.length > 0 ? running : candidates
}

async function canRun(path: string): Promise<boolean> {
  await using archive = await openZip(path)
  if (archive.entries.some(({ name }) => name.startsWith('WEB-INF/'))) return true
  const manifest = archive.find('META-INF/MANIFEST.MF')
  return manifest !== undefined && parseManifest(await archive.read(manifest)).get('Main-Class') !== undefined
}

const noArtifact = (patterns: readonly string[]) =>
  new Problem('MAVEN_NO_ARTIFACT', {
    what: 'Cannot find what Maven built',
    why: `no file matches ${patterns.join(' ')}`,
    fix: 'Set BP_MAVEN_BUILT_MODULE to the module that is the app, or BP_MAVEN_BUILT_ARTIFACT to the file itself.',
  })
