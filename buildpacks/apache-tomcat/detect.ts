import { type Detect, fail, pass } from '#sdk'
import { findApplications } from './applications.ts'

/**
 * Takes part if it can be resolved: where there is no WAR file yet, another buildpack (Maven) has to provide the package. As in
 * Paketo's buildpack, so that both can stand in one order.
 */
export const detect: Detect = async ({ application, configuration }) => {
  const server = configuration.text('BP_JAVA_APP_SERVER').trim().toLowerCase()
  if (server !== '' && server !== 'tomcat') return fail(`the app asks for another server (${server})`)
  const found = await findApplications(application, configuration.text('BP_TOMCAT_CONTEXT_PATH'))
  return pass({
    provides: [
      'jvm-application',
      'java-app-server',
      ...(found.length > 0 ? ['jvm-application-package'] : []),
    ],
    requires: [
      { name: 'jre', metadata: { launch: true } },
      'jvm-application-package',
      'jvm-application',
      'java-app-server',
    ],
  })
}
