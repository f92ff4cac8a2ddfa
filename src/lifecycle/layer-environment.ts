import { join } from 'node:path'
import { applyEnvironmentFiles, type Environment, prependRootDirectories } from '#cnb'
import { readLayerEnvironment } from './environment-directory.ts'
import type { Place } from './executor.ts'
import type { DeclaredLayer } from './read-layers.ts'
import { isDirectoryItself, listUntrusted } from './untrusted.ts'

/**
 * The environment for the buildpacks that follow: for each build layer, its `bin`, `lib`, … on the paths, then its `env/`, then its
 * `env.build/` (CNB buildpack specification, "Layer Paths" and "Environment Variable Modification Rules").
 */
export async function layerEnvironment(
  before: Environment,
  directory: Place,
  layers: readonly DeclaredLayer[],
): Promise<Environment> {
  let environment = before
  for (const { name, types } of layers) {
    const host = join(directory.host, name)
    if (!types.build || !(await isDirectoryItself(host))) continue
    // A link counts as a directory: where it leads is known only inside.
    const present = (await listUntrusted(host)).filter(({ kind }) => kind === 'directory' || kind === 'link')
    const names = present.map(entry => entry.name)
    environment = prependRootDirectories(environment, `${directory.inside}/${name}`, names, 'build')
    for (const variables of ['env', 'env.build']) {
      environment = applyEnvironmentFiles(environment, await readLayerEnvironment(host, variables))
    }
  }
  return environment
}
