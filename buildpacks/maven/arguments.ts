import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildContext, digestOf, readIfExists } from '#sdk'

/** The words for Maven, and what of them only a digest may be recorded. */
export interface MavenArguments {
  readonly words: readonly string[]
  /** Digests of the settings, which hold credentials. */
  readonly settings: Readonly<Record<string, string>>
}

/** The first time that zip files can hold; archives get it where the project names none. */
const TIME = '-Dproject.build.outputTimestamp=1980-01-01T00:00:02Z'

/** Collects the words as Paketo's buildpack does, settings first, profiles last. */
export async function mavenArguments({
  application,
  bindings,
  configuration,
}: Pick<BuildContext, 'application' | 'bindings' | 'configuration'>): Promise<MavenArguments> {
  const words = configuration.words('BP_MAVEN_BUILD_ARGUMENTS')
  const pom = configuration.given('BP_MAVEN_POM_FILE')
  if (pom) words.unshift('--file', pom)
  if (!words.includes('-B') && !words.includes('--batch-mode')) words.unshift('--batch-mode')

  const settings: Record<string, string> = {}
  const binding = bindings.only('maven')
  const bound = binding?.path('settings.xml')
  if (bound) {
    settings['settings-sha256'] = digestOf(await readFile(bound))
    const security = binding?.path('settings-security.xml')
    if (security) {
      settings['settings-security-sha256'] = digestOf(await readFile(security))
      words.unshift(`-Dsettings.security=${security}`)
    }
    words.unshift(`--settings=${bound}`)
  } else if (configuration.text('BP_MAVEN_SETTINGS_PATH')) {
    words.unshift(`--settings=${configuration.text('BP_MAVEN_SETTINGS_PATH')}`)
  }

  words.push(...configuration.words('BP_MAVEN_ADDITIONAL_BUILD_ARGUMENTS'))
  const profiles = configuration.text('BP_MAVEN_ACTIVE_PROFILES').trim()
  if (profiles) words.push('-P', profiles)
  if (!(await namesTime(application, pom ?? 'pom.xml', words))) words.push(TIME)
  return { words, settings }
}

/** The user's own time counts, wherever it is set within reach. */
async function namesTime(application: string, pom: string, words: readonly string[]): Promise<boolean> {
  const property = 'project.build.outputTimestamp'
  if (words.some(word => word.startsWith(`-D${property}`))) return true
  const texts = [pom, '.mvn/maven.config'].map(file => readIfExists(join(application, file)))
  return (await Promise.all(texts)).some(text => text?.includes(property))
}
