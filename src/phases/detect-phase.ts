import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Analyzed, atLeast, printAnalyzed, printPlan } from '#cnb'
import { DetectFailure, type Detection, detect, generate } from '#lifecycle'
import { buildTarget } from './build-target.ts'
import { moveDocument, NOT_ANALYZED, readOrder } from './documents.ts'
import { holdingDetails } from './log.ts'
import { builderModules } from './modules.ts'
import type { PhaseContext } from './phase-context.ts'
import { extensionsUnsupported } from './problems.ts'

const DETECT = 22

/**
 * The detector (CNB platform specification): finds the first group that fits, and writes group.toml and plan.toml. Of image extensions only those take
 * part that do no more than choose another run image, which goes into analyzed.toml; a creator has no way back to analysis, and so takes none.
 * Throws a `Problem` (exit codes 20, 21, 22, 91, 92).
 */
export async function detectPhase(context: PhaseContext, found: Analyzed | undefined): Promise<Detection> {
  const { inputs, places, signal, inherited } = context
  const analyzed = found ?? NOT_ANALYZED
  const log = holdingDetails(context.log)
  const { order, extensions } = await readOrder(inputs, atLeast(inputs.api, '0.15'))
  const common = {
    ...{ report: log, signal, places },
    executor: await context.executor(),
    buildpacks: builderModules(inputs.buildpacks, inputs.extensions),
    target: buildTarget(analyzed.runImage.target, await osRelease(), log),
    ...execEnvironment(context),
    environment: inherited,
  }
  const detection = await detect({ ...common, order, extensions, platformApi: inputs.api }).catch(error => {
    if (error instanceof DetectFailure) log.tellAll()
    throw error
  })
  const { group } = detection
  if (group.extensions.length > 0 && inputs.phase === 'creator') throw extensionsUnsupported(DETECT)
  await moveDocument(join(places.layers.host, 'group.toml'), inputs.group)
  await moveDocument(join(places.layers.host, 'plan.toml'), inputs.plan)
  if (group.extensions.length === 0) return detection
  const { plan, runImage } = await generate({ ...common, ...detection })
  if (runImage) {
    const { reference } = runImage
    const switched = { reference, image: reference, target: { os: '', arch: '' } }
    await writeFile(inputs.analyzed, printAnalyzed({ ...analyzed, runImage: switched }))
  }
  await writeFile(inputs.plan, printPlan(plan))
  return { ...detection, plan }
}

/** Buildpacks know of execution environments since Platform API 0.15. */
export function execEnvironment({ inputs }: PhaseContext): { execEnv: string } {
  return { execEnv: inputs.execEnv }
}

export function osRelease(): Promise<string> {
  return readFile('/etc/os-release', 'utf8').catch(() => '')
}
