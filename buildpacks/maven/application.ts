import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  type BuildContext,
  byBytes,
  digestOf,
  explodeZip,
  readIfExists,
  sourceDigest,
  variablesDigest,
} from '#sdk'
import { mavenArguments } from './arguments.ts'
import { artifactPatterns, findArtifacts } from './artifacts.ts'
import type { MavenProgram } from './program.ts'

/**
 * Builds the app unless nothing changed that it is built from, and returns the directory of what was built: each artifact as Maven
 * wrote it. The layer is only for the next build.
 */
export async function buildApplication(context: BuildContext, maven: MavenProgram): Promise<string> {
  const { application, environment, layers, log, platform, run } = context
  const { words, settings } = await mavenArguments(context)
  const patterns = artifactPatterns(context)
  const java = await javaVersion(environment)
  const { directory } = await layers.contribute('application', {
    title: 'Compiled Application',
    types: { cache: true },
    metadata: {
      source: await sourceDigest(application),
      // Only a digest: arguments may hold a token.
      arguments: digestOf(words.join('\0')),
      artifacts: patterns,
      ...settings,
      java,
      maven: maven.identity,
      variables: await variablesDigest(platform),
    },
    async make(layer) {
      const repository = await layers.keep('repository')
      log.detail(`Executing ${basename(maven.command)} ${words.join(' ')}`)
      await run(maven.command, [`-Dmaven.repo.local=${join(repository.directory, 'repository')}`, ...words], {
        variables: {
          MAVEN_USER_HOME: repository.directory,
          ...(await machineOptions(context, java, repository.directory)),
        },
      })
      for (const path of await findArtifacts(application, patterns)) {
        await mkdir(layer.directory, { recursive: true })
        await copyFile(join(application, path), join(layer.directory, basename(path)))
      }
    },
  })
  return directory
}

/** As `$JAVA_HOME/release` has it; empty where nobody knows. */
async function javaVersion({ JAVA_HOME }: BuildContext['environment']): Promise<string> {
  const text = JAVA_HOME ? await readIfExists(join(JAVA_HOME, 'release')) : undefined
  return /^JAVA_VERSION="(.*)"/m.exec(text ?? '')?.[1] ?? ''
}

/** The first Java that keeps its archive of loaded classes by itself (JDK-8261455). */
const ARCHIVES = 19

/**
 * Options of Maven's own JVM where the user has none. It mostly ends before what its slower, better compiler makes would pay off: a small app takes half the
 * time and processor without that. The classes that it loaded are archived in `directory`, ready for the next time, as the JVM does with those of its own library (JEP 350); an archive that
 * does not fit is replaced. Tests and whatever else a plugin starts are JVMs of their own.
 */
async function machineOptions(
  { application, environment }: Pick<BuildContext, 'application' | 'environment'>,
  java: string,
  directory: string,
): Promise<{ readonly MAVEN_OPTS?: string }> {
  if (environment.MAVEN_OPTS !== undefined) return {}
  if ((await readIfExists(join(application, '.mvn/jvm.config'))) !== undefined) return {}
  const archive = `-XX:SharedArchiveFile=${join(directory, 'maven.jsa')} -XX:+AutoCreateSharedArchive`
  const quiet = '-Xlog:cds=off -Xlog:cds+dynamic=off'
  const archived = Number.parseInt(java, 10) >= ARCHIVES ? ` ${archive} ${quiet}` : ''
  return { MAVEN_OPTS: `-XX:TieredStopAtLevel=1${archived}` }
}

/** Puts what was built where the source was: a single archive unpacked, several as files. */
export async function placeArtifacts(directory: string, application: string): Promise<string> {
  const names = (await readdir(directory)).sort(byBytes)
  const [only] = names
  if (names.length === 1 && only !== undefined) {
    await explodeZip(join(directory, only), application)
    return only
  }
  for (const name of names) await copyFile(join(directory, name), join(application, name))
  return names.join(', ')
}
