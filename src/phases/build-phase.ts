import type { Analyzed, BuildMetadata, Group, Plan } from '#cnb'
import { build } from '#lifecycle'
import { silent } from '#std'
import { buildTarget } from './build-target.ts'
import { osRelease } from './detect-phase.ts'
import { NOT_ANALYZED } from './documents.ts'
import { builderModules } from './modules.ts'
import type { PhaseContext } from './phase-context.ts'

/** The builder (CNB platform specification): runs bin/build of the group, and writes `<layers>/config/metadata.toml`. Throws a `Problem` (exit codes 51, 52). */
export async function buildPhase(
  context: PhaseContext,
  group: Group,
  plan: Plan,
  analyzed: Analyzed = NOT_ANALYZED,
): Promise<BuildMetadata> {
  const { inputs, log, places, signal, inherited } = context
  return build({
    ...{ report: log, signal, places, group, plan, environment: inherited },
    executor: await context.executor(),
    buildpacks: builderModules(inputs.buildpacks, inputs.extensions),
    target: buildTarget(analyzed.runImage.target, await osRelease(), silent),
    ...{ platformApi: inputs.api, execEnv: inputs.execEnv },
  })
}
