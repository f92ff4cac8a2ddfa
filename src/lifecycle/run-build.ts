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
import type { BuildpackSource, Execution, Executor, FoundBuildpack, Place, Places } from './executor.ts'
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
  await using coming = await comingBuild(found, ground, environment, plan)
  const outcome = await ground.executor.run(coming.execution)
  ground.signal?.throwIfAborted()
  if (outcome.exitCode !== 0) {
    throw buildpackFailed(
      fullName(found.descriptor),
      outcome.why ?? `its bin/build ended with exit code ${outcome.exitCode}`,
    )
  }
  const { directory, requires } = coming
  return { directory, requires }
}

/** A bin/build about to run, whose directories are there. Disposal removes its plan. */
interface ComingBuild extends AsyncDisposable {
  readonly execution: Execution
  readonly directory: Place
  readonly requires: readonly Require[]
}

/** Makes what one bin/build is handed; a second time for the same one replaces its plan alone. */
async function comingBuild(
  found: FoundBuildpack,
  ground: BuildGround,
  environment: Environment,
  plan: Plan,
): Promise<ComingBuild> {
  const { places, given, report, signal } = ground
  const { descriptor, root } = found
  const directory = buildpackPlace(places.layers, descriptor)
  await mkdir(places.layers.host, { recursive: true })
  await ownDirectory(directory.host)
  const requires = requiresFor(plan, descriptor)
  const name = `build-${escapeId(descriptor.id)}`
  const scratch = await planDirectory(places, name, printBuildpackPlan(requires))
  const paths = { platform: places.platform.inside, plan: scratch.plan.inside, layers: directory.inside }
  const execution: Execution = {
    phase: 'build',
    buildpack: found,
    command: [`${root.inside}/bin/build`, paths.layers, paths.platform, paths.plan],
    cwd: places.app.inside,
    env: buildpackEnvironment(environment, found, given, paths, ground),
    readable: [places.layers, places.platform, root],
    writable: [places.app, directory, scratch.place],
    output: bytes => report.output(bytes),
    ...(signal && { signal }),
  }
  return {
    execution,
    directory,
    requires,
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  }
}

/** Has the executor get the first of these buildpacks ready that starts anything, as far as it is known by now how it will run. */
export async function prepareFirst(
  buildpacks: BuildpackSource,
  members: readonly { readonly id: string; readonly version: string }[],
  ground: BuildGround,
  environment: Environment,
  plan: Plan,
): Promise<void> {
  const prepare = ground.executor.prepare?.bind(ground.executor)
  if (!prepare) return
  for (const { id, version } of members) {
    const found = await buildpacks.find(id, version)
    if (!found) return
    const { execution } = await comingBuild(found, ground, environment, plan)
    if (await prepare(execution)) return
  }
}
