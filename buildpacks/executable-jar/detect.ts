import { type Detect, pass } from '#sdk'
import { findExecutableJar } from './executable-jar.ts'

/**
 * Always takes part if it can be resolved: where there is no jar yet, another buildpack (Maven) has to provide the package. As in
 * Paketo's buildpack, so that both can stand in one order.
 */
export const detect: Detect = async ({ application, configuration, log }) => {
  const found = await findExecutableJar(
    application,
    configuration.text('BP_EXECUTABLE_JAR_LOCATION'),
    log.warn,
  )
  return pass({
    provides: ['jvm-application', ...(found ? ['jvm-application-package'] : [])],
    requires: [{ name: 'jre', metadata: { launch: true } }, 'jvm-application-package', 'jvm-application'],
  })
}
