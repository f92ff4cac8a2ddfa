import {
  anyTargetMatches,
  atLeast,
  effectiveTargets,
  fullName,
  type GroupMember,
  type Order,
  type OrderEntry,
  type Plan,
  type PlatformApi,
  resolvePlan,
  takesPart,
} from '#cnb'
import type { BuildpackSource, FoundBuildpack } from './executor.ts'
import { buildpackMissing, EXIT, orderTooDeep } from './problems.ts'
import { type DetectGround, type DetectRun, hasFile } from './run-detect.ts'

/** A module in a group that is being tried. `extensions` stands for all image extensions together. */
export type Element =
  | (OrderEntry & { readonly kind: 'buildpack' | 'extension' })
  | { readonly kind: 'extensions'; readonly order: Order }

/** A module that was run, or that would have been if it were for this base. */
export interface Tried {
  readonly found: FoundBuildpack
  readonly optional: boolean
  readonly run: Promise<DetectRun>
}

/** A group that passed, or that none did. */
export type OrderResult =
  | {
      readonly passed: true
      readonly buildpacks: readonly GroupMember[]
      readonly extensions: readonly GroupMember[]
      readonly plan: Plan
      /** How many modules were tried in that group. */
      readonly tried: number
    }
  | { readonly passed: false; readonly errored: boolean }

/** What trying an order needs. */
export interface Trial {
  readonly ground: DetectGround
  readonly platformApi: PlatformApi
  readonly buildpacks: BuildpackSource
  /** Runs a module's bin/detect, once however often it is asked. */
  run(found: FoundBuildpack): Promise<DetectRun>
  /** A module was not run, because it is for other bases. */
  leftOut(found: FoundBuildpack): void
  /** Why modules that passed did not fit together. */
  note(notes: readonly string[]): void
  /** Counts groups, so that composites cannot multiply without end. */
  groups: number
}

const DEEPEST = 64
const MOST_GROUPS = 10_000

/**
 * Tries the groups of an order one after the other (CNB platform specification, "detector"): composite buildpacks are replaced by
 * each of their groups in turn, in front of what follows them; the first group that passes wins.
 */
export async function tryOrder(
  trial: Trial,
  order: Order,
  kind: 'buildpack' | 'extension',
  rest: {
    readonly done: readonly Tried[]
    readonly next: readonly Element[]
    readonly optional: boolean
    readonly depth: number
  },
): Promise<OrderResult> {
  let errored = false
  for (const group of order) {
    const elements: Element[] = group.map(entry =>
      kind === 'extension' ? { ...entry, kind, optional: true } : { ...entry, kind },
    )
    const result = await tryGroup(trial, [...elements, ...rest.next], rest.done, rest.depth)
    if (result.passed) return result
    errored ||= result.errored
  }
  if (rest.optional) return tryGroup(trial, rest.next, rest.done, rest.depth)
  return { passed: false, errored }
}

/** Tries one group: whoever was tried before it, and its modules from left to right, all at the same time. */
export async function tryGroup(
  trial: Trial,
  group: readonly Element[],
  before: readonly Tried[],
  depth: number,
): Promise<OrderResult> {
  const done = [...before]
  for (const [index, element] of group.entries()) {
    const next = group.slice(index + 1)
    if (element.kind === 'extensions') {
      return tryOrder(trial, element.order, 'extension', { done, next, optional: true, depth })
    }
    if (
      done.some(({ found }) => found.descriptor.id === element.id && found.descriptor.kind === element.kind)
    )
      continue
    if (atLeast(trial.platformApi, '0.15') && !takesPart(element.execEnv, trial.ground.execEnv)) continue
    const found = await lookUp(trial, element)
    const { descriptor } = found
    if (descriptor.order && descriptor.order.length > 0) {
      if (depth >= DEEPEST) throw orderTooDeep(fullName(descriptor))
      const rest = { done, next, optional: element.optional, depth: depth + 1 }
      return tryOrder(trial, descriptor.order, 'buildpack', rest)
    }
    if (!takesPartHere(trial, found)) continue
    const fits = anyTargetMatches(
      effectiveTargets(descriptor, await hasFile(found, 'bin/build')),
      trial.ground.target,
    )
    if (!fits) trial.leftOut(found)
    if (!fits && element.optional) continue
    const run = fits ? trial.run(found) : Promise.resolve({ result: 'errored', output: '' } as const)
    done.push({ found, optional: element.optional, run })
  }
  if (++trial.groups > MOST_GROUPS) throw orderTooDeep('in the order')
  return settle(trial, done)
}

/** Waits for all modules of a group, and has their plans agree. */
async function settle(trial: Trial, done: readonly Tried[]): Promise<OrderResult> {
  const runs = await Promise.all(done.map(({ run }) => run))
  const errored = runs.some(({ result }) => result === 'errored')
  if (done.some(({ optional }, index) => !optional && runs[index]?.result !== 'passed')) {
    return { passed: false, errored }
  }
  const candidates = done.flatMap(({ found: { descriptor }, optional }, index) => {
    const options = runs[index]?.plan
    const { id, version, kind } = descriptor
    return options ? [{ descriptor, id, version, extension: kind === 'extension', optional, options }] : []
  })
  if (!candidates.some(({ extension }) => !extension)) return { passed: false, errored: false }
  const resolution = resolvePlan(candidates)
  if (!resolution.resolved) {
    trial.note(resolution.notes)
    return { passed: false, errored: false }
  }
  const members = (extension: boolean) =>
    candidates
      .filter(candidate => candidate.extension === extension && resolution.members.includes(candidate))
      .map(({ descriptor: { id, version, api, homepage } }) => ({
        id,
        version,
        api,
        ...(homepage && { homepage }),
      }))
  return {
    passed: true,
    buildpacks: members(false),
    extensions: members(true),
    plan: resolution.plan,
    tried: done.length,
  }
}

async function lookUp(
  { buildpacks }: Trial,
  { kind, id, version }: OrderEntry & { kind: string },
): Promise<FoundBuildpack> {
  const find =
    kind === 'extension' ? buildpacks.findExtension?.bind(buildpacks) : buildpacks.find.bind(buildpacks)
  const found = version === undefined ? undefined : await find?.(id, version)
  if (!found)
    throw buildpackMissing(
      fullName({ id, ...(version !== undefined && { version }) }),
      'a buildpack or the order',
      EXIT.detect,
    )
  return found
}

/** Since Platform API 0.15 and Buildpack API 0.12 a module may be for some execution environments only. */
function takesPartHere({ platformApi, ground }: Trial, { descriptor }: FoundBuildpack): boolean {
  if (!atLeast(platformApi, '0.15') || !atLeast(descriptor.api, '0.12')) return true
  return takesPart(descriptor.execEnv, ground.execEnv)
}
