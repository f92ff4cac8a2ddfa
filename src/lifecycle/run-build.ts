import { mkdir } from 'node:fs/promises'
import {
  type BaseTarget,
  type Environment,
  escapeId,
  fullName,
  type Plan,
  printBuildpackPlan,
  type Require,
  requiresFor,
} from '#cnb'
import type { Report } from '#std'
import { buildpackEnvironment, type GivenVariables } from './buildpack-environment.ts'
import type { Executor, FoundBuildpack, Place, Places } from './executor.ts'
import { buildpackFailed } from './problems.ts'
import { buildpackPlace } from './restore.ts'
import { planDirectory } from './scratch.ts'
import { ownDirectory } from './untrusted.ts'

/** What every bin/build of a build is run with. */
export interface BuildGround {
  readonly places: Places
  readonly executor: Executor
  readonly given: GivenVariables
  readonly target: BaseTarget
  readonly execEnv: string
  readonly report: Report
  readonly signal?: AbortSignal
}

/**
 * Runs one bin/build (CNB buildpack specification, "Build") with its part of the plan. It may write to the app and to its own layers directory;
 * the layers of others it may read. Throws a `Problem` (`BUILDPACK_FAILED`, exit code 51).
 */
export async function runBuild(
  found: FoundBuildpack,
  ground: BuildGround,
  environment: Environment,
  plan: Plan,
): Promise<{ readonly directory: Place; readonly requires: readonly Require[] }> {
  const { places, executor, given, report, signal } = ground
  const { descriptor, root } = found
  const directory = buildpackPlace(places.layers, descriptor)
  await mkdir(places.layers.host, { recursive: true })
  await ownDirectory(directory.host)
  const requires = requiresFor(plan, descriptor)
  await using scratch = await planDirectory(
    places,
    `build-${escapeId(descriptor.id)}`,
    printBuildpackPlan(requires),
  )
  const paths = { platform: places.platform.inside, plan: scratch.plan.inside, layers: directory.inside }
  const outcome = await executor.run({
    phase: 'build',
    buildpack: found,
    command: [`${root.inside}/bin/build`, paths.layers, paths.platform, paths.plan],
    cwd: places.app.inside,
    env: buildpackEnvironment(environment, found, given, paths, ground),
    readable: [places.layers, places.platform, root],
    writable: [places.app, directory, scratch.place],
    output: bytes => report.output(bytes),
    ...(signal && { signal }),
  })
  signal?.throwIfAborted()
  if (outcome.exitCode !== 0) {
    throw buildpackFailed(
      fullName(descriptor),
      outcome.why ?? `its bin/build ended with exit code ${outcome.exitCode}`,
    )
  }
  return { directory, requires }
}
