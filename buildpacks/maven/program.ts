import { join } from 'node:path'
import type { BuildContext } from '#sdk'
import { prepareWrapper } from './wrapper.ts'

/** The Maven to run, and what the result depends on it by. */
export interface MavenProgram {
  readonly command: string
  readonly identity: string
}

/** Maven 3.10 and 4 are only used where they are asked for. */
const DEFAULT = '3.9'

/** Chooses Maven: the app's wrapper unless a version is asked for, else a verified distribution, else that of another buildpack. */
export async function mavenProgram(context: BuildContext): Promise<MavenProgram> {
  const { application, configuration, required, dependency, layers, log } = context
  if (configuration.flag('BP_MAVEN_DAEMON_ENABLED'))
    log.warn('BP_MAVEN_DAEMON_ENABLED is not supported: Maven itself is used')
  if (!required('maven')) return { command: 'mvn', identity: 'mvn' }

  const version = configuration.given('BP_MAVEN_VERSION')
  const wrapper = version === undefined ? await prepareWrapper(application) : undefined
  // What the wrapper fetches is named in the source, which the result depends on already.
  if (wrapper !== undefined) return { command: wrapper, identity: 'mvnw' }

  const maven = await dependency({ name: 'maven', version: version?.trim() || DEFAULT })
  const { directory } = await layers.contribute('maven', {
    title: `Apache Maven ${maven.version}`,
    types: { build: true, cache: true },
    metadata: { version: maven.version, digest: maven.digest, root: maven.root },
    components: maven.components,
    make: layer => layer.install(maven),
  })
  return { command: join(directory, 'bin', 'mvn'), identity: maven.digest }
}
