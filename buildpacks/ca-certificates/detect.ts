import { type Detect, type DetectContext, pass } from '#sdk'

/**
 * Always takes part, in Paketo's words: offers to trust what other buildpacks name, trusts what bindings hold, and brings the
 * start-up helper unless that is switched off.
 */
export const detect: Detect = context => {
  const { bindings } = context
  const paths = bindings
    .ofType('ca-certificates')
    .flatMap(binding => binding.entries.map(entry => binding.path(entry)))
  const bound = paths.length > 0 ? [{ name: 'ca-certificates', metadata: { paths } }] : []
  const helper = helperWanted(context) ? ['ca-certificates-helper'] : []
  return pass(
    { provides: ['ca-certificates', ...helper], requires: [...bound, ...helper] },
    { provides: helper, requires: helper },
  )
}

function helperWanted({ configuration }: DetectContext): boolean {
  if (configuration.flag('BP_RUNTIME_CERT_BINDING_DISABLED')) return false
  return configuration.flag('BP_ENABLE_RUNTIME_CERT_BINDING')
}
