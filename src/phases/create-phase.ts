import { analyzePhase } from './analyze-phase.ts'
import { buildPhase } from './build-phase.ts'
import { sayNoCache } from './caches.ts'
import { detectPhase } from './detect-phase.ts'
import { exportPhase } from './export-phase.ts'
import type { PhaseContext } from './phase-context.ts'
import { restorePhase } from './restore-phase.ts'

/** The creator (CNB platform specification): all phases in one process, with their exit codes. */
export async function createPhase(context: PhaseContext): Promise<void> {
  const { inputs, log } = context
  sayNoCache(inputs, log)
  log.phase('ANALYZING')
  const analyzed = await analyzePhase(context)
  log.phase('DETECTING')
  const { group, plan } = await detectPhase(context, analyzed)
  log.phase('RESTORING')
  await restorePhase(context, group, analyzed)
  log.phase('BUILDING')
  await buildPhase(context, group, plan, analyzed)
  log.phase('EXPORTING')
  await exportPhase(context, group, analyzed)
}
