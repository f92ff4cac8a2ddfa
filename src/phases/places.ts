import { existsSync } from 'node:fs'
import type { Place, Places } from '#lifecycle'
import type { PhaseInputs } from './inputs.ts'

/** The directories of a build inside its container: one path each, whoever looks. */
export function placesOf(inputs: PhaseInputs): Places {
  const { app, layers, platform, buildConfig } = inputs
  return {
    app: here(app),
    layers: here(layers),
    platform: here(platform),
    ...(existsSync(buildConfig) && { buildConfig: here(buildConfig) }),
    // Beside the layers there is nothing that one may write to where the root of the container is read-only.
    scratch: here(`/tmp/lifecycle-${process.pid}`),
  }
}

function here(path: string): Place {
  return { host: path, inside: path }
}
