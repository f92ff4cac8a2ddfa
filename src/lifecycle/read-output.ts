import { join } from 'node:path'
import {
  atLeast,
  type BuildpackDescriptor,
  type Environment,
  fullName,
  type Launch,
  parseBuild,
  parseLaunch,
  parseStore,
  type Require,
} from '#cnb'
import { Problem, type Report } from '#std'
import { billsOf } from './bills.ts'
import type { Place } from './executor.ts'
import { layerEnvironment } from './layer-environment.ts'
import type { BuildpackOutput } from './merge-outputs.ts'
import { buildpackWroteNonsense } from './problems.ts'
import { readLayers } from './read-layers.ts'
import { readUntrustedText } from './untrusted.ts'

const NOTHING: Launch = { labels: [], processes: [], slices: [], bom: [] }

/**
 * Reads and checks all that a buildpack left in its layers directory. Throws a `Problem` (`BUILDPACK_OUTPUT_INVALID`, exit code 52)
 * that names the buildpack, whatever is wrong.
 */
export async function readOutput(
  descriptor: BuildpackDescriptor,
  directory: Place,
  requires: readonly Require[],
  before: Environment,
  report: Report,
): Promise<BuildpackOutput> {
  const name = fullName(descriptor)
  try {
    const layers = await readLayers(directory.host, name)
    const environment = await layerEnvironment(before, directory, layers)
    const build = parseBuild((await textOf(directory, 'build.toml')) ?? '', `build.toml of ${name}`)
    const wrong = build.unmet.find(unmet => requires.every(require => require.name !== unmet))
    if (wrong !== undefined)
      throw buildpackWroteNonsense(
        name,
        `build.toml calls ${JSON.stringify(wrong)} unmet, which nobody required of it`,
      )
    const bills = await billsOf(descriptor, directory.host, layers)
    const launchToml = await textOf(directory, 'launch.toml')
    const launch =
      launchToml === undefined ? NOTHING : parseLaunch(launchToml, `launch.toml of ${name}`, descriptor.api)
    if (
      launchToml !== undefined &&
      !atLeast(descriptor.api, '0.8') &&
      /^\s*working-dir\s*=/m.test(launchToml)
    ) {
      report.warn(
        `${name} sets a working-dir, which Buildpack API ${descriptor.api} does not know; it is ignored.`,
      )
    }
    parseStore((await textOf(directory, 'store.toml')) ?? '', `store.toml of ${name}`)
    return { descriptor, layers, environment, unmet: build.unmet, buildBom: build.bom, launch, bills }
  } catch (error) {
    if (!(error instanceof Problem) || error.code === 'BUILDPACK_OUTPUT_INVALID') throw error
    throw buildpackWroteNonsense(name, `${error.what}: ${error.why}`, error)
  }
}

function textOf(directory: Place, file: string): Promise<string | undefined> {
  return readUntrustedText(join(directory.host, file))
}
