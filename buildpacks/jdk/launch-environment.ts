import { join } from 'node:path'
import type { Layer } from '#sdk'
import { countClasses } from './class-count.ts'
import { securityProviders } from './security-providers.ts'

/** What programs in the image, and start-up helpers, have to know of their Java runtime; names are Paketo's. */
export async function describeForLaunch(layer: Layer, application: string): Promise<void> {
  const { directory, environment } = layer
  environment.launch.default('BPI_APPLICATION_PATH', application)
  environment.launch.default('BPI_JVM_CACERTS', join(directory, 'lib', 'security', 'cacerts'))
  environment.launch.default('BPI_JVM_CLASS_COUNT', String(await countClasses(directory)))
  environment.launch.default('BPI_JVM_SECURITY_PROVIDERS', await securityProviders(directory))
  environment.launch.default('JAVA_HOME', directory)
  // One arena for each thread makes glibc keep more memory than the JVM's own accounts say.
  environment.launch.default('MALLOC_ARENA_MAX', '2')
}
