import { type Build, removeSource } from '#sdk'
import { buildApplication, placeArtifacts } from './application.ts'
import { mavenProgram } from './program.ts'

/** Brings Maven, and builds the app if the plan asks for a built one. */
export const build: Build = async context => {
  const { application, configuration, layers, log, required } = context
  const maven = await mavenProgram(context)
  if (!required('jvm-application-package')) return
  // Kept also when Maven does not run, so that the next change finds it.
  await layers.keep('repository')
  const built = await buildApplication(context, maven)
  log.line('Removing source code')
  await removeSource(application, {
    include: configuration.given('BP_INCLUDE_FILES'),
    exclude: configuration.given('BP_EXCLUDE_FILES'),
  })
  log.line(`Restoring application artifact: ${await placeArtifacts(built, application)}`)
}
