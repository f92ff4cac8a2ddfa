import type { BuildPlanOption, Require } from './build-plan.ts'
import type { Plan, PlanEntry, Provider } from './plan.ts'
import { planTooComplex } from './problems.ts'

/** A module whose detection passed, with the alternatives of its build plan. */
export interface Candidate {
  readonly id: string
  readonly version: string
  readonly extension?: boolean
  readonly optional: boolean
  /** Main section first, then each `or`. */
  readonly options: readonly BuildPlanOption[]
}

/** What the candidates agreed on, or why the last trial failed. */
export type Resolution =
  | {
      readonly resolved: true
      readonly members: readonly Candidate[]
      readonly plan: Plan
    }
  /** `notes` say what required candidates lack or offer in vain; if only optional ones were there, what those do. */
  | { readonly resolved: false; readonly notes: readonly string[] }

/** One candidate in a trial: which option it takes, and whether it may be dropped. */
interface Participant {
  readonly candidate: Candidate
  readonly option: BuildPlanOption
  readonly optional: boolean
}

const MOST_TRIALS = 100_000

/**
 * Finds the first combination of alternatives in which everything provided is required and everything required is provided before
 * (CNB buildpack specification, "Phase #1"; as the reference: the leftmost candidate varies slowest, and an optional candidate may be
 * dropped only in its last alternative). Throws a `Problem` (`BUILD_PLAN_TOO_COMPLEX`) after 100,000 combinations.
 */
export function resolvePlan(candidates: readonly Candidate[]): Resolution {
  let notes: readonly string[] = []
  let trials = 0
  for (const trial of combinations(candidates)) {
    if (++trials > MOST_TRIALS) throw planTooComplex(MOST_TRIALS)
    const result = tryOne(trial)
    if (result.resolved) return result
    notes = result.notes
  }
  return { resolved: false, notes }
}

function* combinations(candidates: readonly Candidate[]): Generator<readonly Participant[]> {
  const [first, ...rest] = candidates
  if (!first) {
    yield []
    return
  }
  for (const [index, option] of first.options.entries()) {
    const optional = first.optional && index === first.options.length - 1
    for (const others of combinations(rest)) yield [{ candidate: first, option, optional }, ...others]
  }
}

/** Drops optional participants that lack something, or offer what nobody wants, until all fit or a required one does not. */
function tryOne(trial: readonly Participant[]): Resolution {
  const dropped: string[] = []
  for (let participants = trial; ; ) {
    const { entries, misfits } = match(participants)
    if (misfits.length === 0) {
      if (participants.length === 0) return { resolved: false, notes: dropped }
      return { resolved: true, members: participants.map(({ candidate }) => candidate), plan: entries }
    }
    const blocking = misfits.filter(({ participant }) => !participant.optional)
    if (blocking.length > 0) return { resolved: false, notes: blocking.map(noteOf) }
    dropped.push(...misfits.map(noteOf))
    const unfit = new Set(misfits.map(({ participant }) => participant))
    participants = participants.filter(participant => !unfit.has(participant))
  }
}

interface Misfit {
  readonly participant: Participant
  readonly why: string
}

function noteOf({ participant: { candidate }, why }: Misfit): string {
  return `${candidate.id} ${why}`
}

interface Dependency {
  providers: Participant[]
  readonly requires: Require[]
  /** Provided, and not yet required by anyone after. */
  pending: Participant[]
}

function match(participants: readonly Participant[]) {
  const dependencies = new Map<string, Dependency>()
  /** In the order in which they were first required. */
  const required = new Set<Dependency>()
  const misfits: Misfit[] = []
  const dependencyOf = (name: string) => {
    const known = dependencies.get(name) ?? { providers: [], requires: [], pending: [] }
    dependencies.set(name, known)
    return known
  }
  for (const participant of participants) {
    for (const name of participant.option.provides) dependencyOf(name).pending.push(participant)
    for (const require of participant.option.requires) {
      const dependency = dependencyOf(require.name)
      dependency.providers.push(...dependency.pending)
      dependency.pending = []
      if (dependency.providers.length === 0) {
        misfits.push({ participant, why: `requires ${require.name}, which no buildpack before it provides` })
      } else {
        dependency.requires.push(require)
        required.add(dependency)
      }
    }
  }
  for (const [name, { pending }] of dependencies) {
    for (const participant of pending)
      misfits.push({ participant, why: `provides ${name}, which nobody requires` })
  }
  return { entries: [...required].map(entryOf), misfits }
}

function entryOf({ providers, requires }: Dependency): PlanEntry {
  return { providers: providers.map(providerOf), requires }
}

function providerOf({ candidate: { id, version, extension } }: Participant): Provider {
  return { id, version, ...(extension && { extension }) }
}
