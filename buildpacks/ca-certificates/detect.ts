import { type Detect, type DetectContext, pass } from '#sdk'

/**
 * Offers to trust what other buildpacks name, and trusts what bindings hold. The start-up helper comes with a binding, or where it is asked for: without
 * either an image that needs no launcher should get none, and JVMs have a helper of their own.
 */
export const detect: Detect = context => {
  const { bindings } = context
  const paths = bindings
    .ofType('ca-certificates')
    .flatMap(binding => binding.entries.map(entry => binding.path(entry)))
  const bound = paths.length > 0 ? [{ name: 'ca-certificates', metadata: { paths } }] : []
  const helper = helperWanted(context, paths.length > 0) ? ['ca-certificates-helper'] : []
  return pass(
    { provides: ['ca-certificates', ...helper], requires: [...bound, ...helper] },
    ...(helper.length > 0 ? [{ provides: helper, requires: helper }] : []),
  )
}

function helperWanted({ configuration }: DetectContext, bound: boolean): boolean {
  if (configuration.flag('BP_RUNTIME_CERT_BINDING_DISABLED')) return false
  return bound || configuration.flag('BP_ENABLE_RUNTIME_CERT_BINDING')
}
