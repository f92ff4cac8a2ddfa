import { join } from 'node:path'
import { type Detect, fail, isFile, pass } from '#sdk'

/** Takes part where there is a pom.xml to build; plan names are Paketo's. */
export const detect: Detect = async ({ application, configuration }) => {
  if (await isFile(join(application, 'META-INF', 'MANIFEST.MF')))
    return fail('it is built already (META-INF/MANIFEST.MF)')
  const pom = configuration.text('BP_MAVEN_POM_FILE')
  if (!(await isFile(join(application, pom)))) return fail(`no ${pom}`)
  const requires = ['jdk', 'maven']
  return pass(
    { provides: ['jvm-application-package', 'maven'], requires },
    // Another buildpack may bring Maven, or want it and build by itself.
    { provides: ['jvm-application-package'], requires },
    { provides: ['maven'], requires: ['jdk'] },
  )
}
