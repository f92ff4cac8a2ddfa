import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildContext, Jar } from '#sdk'
import type { SpringBootApplication } from './application.ts'

/** The line of Spring Cloud Bindings that goes with a release of Spring Boot. */
export function bindingsLine(springBoot: string): string {
  return Number.parseInt(springBoot, 10) < 3 ? '1' : '2'
}

/**
 * Adds Spring Cloud Bindings, which turns service bindings into Spring's properties, unless the app has it already or the user does not want it.
 * The jar is a layer of its own; the application's libraries get a link to it. A start-up helper switches it on.
 */
export async function contributeBindings(
  app: SpringBootApplication,
  jars: readonly Jar[],
  { configuration, dependency, layers, log }: BuildContext,
): Promise<void> {
  if (configuration.flag('BP_SPRING_CLOUD_BINDINGS_DISABLED')) return
  if (jars.some(({ name }) => name === 'spring-cloud-bindings'))
    return log.line('Spring Cloud Bindings is one of the libraries: not adding another one')
  const version = configuration.text('BP_SPRING_CLOUD_BINDINGS_VERSION') || bindingsLine(app.version)
  const bindings = await dependency({ name: 'spring-cloud-bindings', version })
  const file = `spring-cloud-bindings-${bindings.version}.jar`
  const { directory } = await layers.contribute('spring-cloud-bindings', {
    title: `Spring Cloud Bindings ${bindings.version}`,
    types: { launch: true },
    metadata: { version: bindings.version, digest: bindings.digest },
    components: bindings.components,
    async make(layer) {
      await layer.install(bindings)
      await layer.startUpHelper('spring-cloud-bindings')
    },
  })
  await mkdir(join(app.directory, app.libraries), { recursive: true })
  await symlink(join(directory, file), join(app.directory, app.libraries, file))
}
