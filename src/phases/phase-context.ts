import type { Environment } from '#cnb'
import type { Executor, LayerRules, Places } from '#lifecycle'
import type { Images } from './images.ts'
import type { PhaseInputs } from './inputs.ts'
import type { PhaseLog } from './log.ts'

/** What every phase works with. */
export interface PhaseContext {
  readonly inputs: PhaseInputs
  readonly log: PhaseLog
  readonly places: Places
  readonly rules: LayerRules
  readonly signal: AbortSignal
  /** The variables of this process. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What buildpacks inherit of them. */
  readonly inherited: Environment
  /** Opened once, and only by phases that need images. */
  images(): Promise<Images>
  /** Opened once. */
  executor(): Promise<Executor>
}
