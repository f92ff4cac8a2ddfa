import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Detect, fail, isSystemError, pass } from '#sdk'

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

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
