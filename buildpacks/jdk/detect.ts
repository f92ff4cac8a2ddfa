import { type Detect, type PlanSection, pass } from '#sdk'

/**
 * Offers a JDK and a JRE, in the words of Paketo's plans; what nobody requires is left out. With jlink a JDK is needed
 * even if no buildpack compiles.
 */
export const detect: Detect = ({ configuration }) => {
  const offers: PlanSection[] = [{ provides: ['jdk', 'jre'] }, { provides: ['jdk'] }, { provides: ['jre'] }]
  if (!configuration.flag('BP_JVM_JLINK_ENABLED')) return pass(...offers)
  return pass({ provides: ['jdk', 'jre'], requires: ['jdk'] }, { provides: ['jdk'] })
}
