import { type Detect, pass } from '#sdk'
import { findArchive } from './archive.ts'
import { findScripts } from './start-script.ts'

/**
 * Takes part if it can be resolved: where there is no distribution yet, another buildpack (Maven) has to provide the package. As in
 * Paketo's buildpack, so that both can stand in one order.
 */
export const detect: Detect = async ({ application, configuration }) => {
  const scripts = await findScripts(application, configuration.text('BP_APPLICATION_SCRIPT'))
  const ready = scripts.length > 0 || (await findArchive(application)) !== undefined
  return pass({
    provides: ['jvm-application', ...(ready ? ['jvm-application-package'] : [])],
    requires: [{ name: 'jre', metadata: { launch: true } }, 'jvm-application-package', 'jvm-application'],
  })
}
