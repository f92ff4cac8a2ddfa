import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BaseTarget,
  describeTarget,
  type Environment,
  effectiveTargets,
  fullName,
  type Group,
  type Order,
  type Plan,
  type PlatformApi,
  printGroup,
  printPlan,
  wantedFiles,
} from '#cnb'
import type { Report } from '#std'
import { readGivenVariables } from './buildpack-environment.ts'
import { type DetectAttempt, DetectFailure } from './detect-failure.ts'
import type { BuildpackSource, Executor, FoundBuildpack, Places } from './executor.ts'
import { buildpackMissing, EXIT } from './problems.ts'
import { type DetectRun, lastWords, runDetect } from './run-detect.ts'
import { leaveScratch } from './scratch.ts'
import { type Element, type OrderResult, type Trial, tryGroup } from './try-order.ts'

/** What detection is handed. */
export interface DetectOptions {
  readonly report: Report
  readonly signal?: AbortSignal
  readonly places: Places
  readonly executor: Executor
  readonly buildpacks: BuildpackSource
  readonly order: Order
  /** Orders of image extensions; found through `buildpacks.findExtension`. */
  readonly extensions?: Order
  /** What the run image is; with the distribution of the build image where it names none. */
  readonly target: BaseTarget
  readonly platformApi?: PlatformApi
  /** `production` unless told otherwise. */
  readonly execEnv?: string
  /** What buildpacks inherit (`inheritedEnvironment`). */
  readonly environment: Environment
  /** How many executables run at the same time; 8 unless told otherwise. */
  readonly atOnce?: number
}

/** Who takes part, and what they agreed on. */
export interface Detection {
  readonly group: Group
  readonly plan: Plan
  /** What became of every buildpack that was tried. */
  readonly attempts: readonly DetectAttempt[]
  /** Why buildpacks that passed did not fit together in groups that were tried before. */
  readonly notes: readonly string[]
}

/**
 * Finds the first group of buildpacks that fits the app, image extensions included that provide what it requires, and writes `<layers>/group.toml` and `plan.toml` (CNB platform specification,
 * "detector"). Every bin/detect runs once at the most. What buildpacks print is shown with details only, unless they err; if detection
 * fails, each one's last words are in the failure. Throws a `DetectFailure` (exit code 20, or 21 if a buildpack erred) or a `Problem`
 * (`BUILDPACK_MISSING`, `BUILDPACK_API_UNSUPPORTED` 12, `BUILD_PLAN_TOO_COMPLEX`, `ORDER_TOO_DEEP` 22).
 */
export async function detect(options: DetectOptions): Promise<Detection> {
  const { report, places, order, extensions = [] } = options
  await verify(options)
  const runs = new Map<string, Promise<DetectRun>>()
  const attempts = new Map<string, FoundBuildpack>()
  const leftOut = new Set<string>()
  const notes = new Set<string>()
  const trial = await trialOf(options, { runs, attempts, leftOut, notes })
  const front: Element[] = extensions.length > 0 ? [{ kind: 'extensions', order: extensions }] : []
  const result = await tryGroups(trial, order, front).finally(async () => {
    await Promise.allSettled(runs.values())
    await leaveScratch(places)
  })
  const told = await Promise.all(
    [...attempts].map(async ([key, found]) => attemptOf(found, await runs.get(key), options.target)),
  )
  for (const [key, found] of attempts) tell(report, found, await runs.get(key))
  if (!result.passed) throw new DetectFailure(told, [...notes], result.errored)
  return { ...(await conclude(result, options)), attempts: told, notes: [...notes] }
}

/** Every group with all extensions in front of it. */
async function tryGroups(trial: Trial, order: Order, front: readonly Element[]): Promise<OrderResult> {
  let errored = false
  for (const group of order) {
    const next = [...front, ...group.map(entry => ({ ...entry, kind: 'buildpack' as const }))]
    const result = await tryGroup(trial, next, [], 0)
    if (result.passed) return result
    errored ||= result.errored
  }
  return { passed: false, errored }
}

interface Memory {
  readonly runs: Map<string, Promise<DetectRun>>
  readonly attempts: Map<string, FoundBuildpack>
  readonly leftOut: Set<string>
  readonly notes: Set<string>
}

async function trialOf(options: DetectOptions, { runs, attempts, leftOut, notes }: Memory): Promise<Trial> {
  const { places, executor, buildpacks, target, environment, signal, platformApi = '0.15' } = options
  const given = await readGivenVariables(places)
  const execEnv = options.execEnv ?? 'production'
  const ground = { places, executor, given, environment, target, execEnv, ...(signal && { signal }) }
  const gate = gateFor(options.atOnce ?? 8)
  return {
    ground,
    platformApi,
    buildpacks,
    groups: 0,
    run(found) {
      const key = keyOf(found)
      attempts.set(key, found)
      const run = runs.get(key) ?? gate(() => runDetect(found, ground))
      runs.set(key, run)
      // A group that ends early must not leave a rejection that nobody takes.
      run.catch(() => {})
      return run
    },
    leftOut(found) {
      attempts.set(keyOf(found), found)
      leftOut.add(keyOf(found))
    },
    note(lines) {
      for (const line of lines) notes.add(line)
    },
  }
}

/** Every buildpack that the order itself names must be there, and speak an API that we do. */
async function verify({ order, extensions = [], buildpacks }: DetectOptions): Promise<void> {
  const check = async (entries: Order, find: BuildpackSource['findExtension']) => {
    for (const { id, version } of entries.flat()) {
      if (version !== undefined && (await find?.(id, version))) continue
      const name = fullName({ id, ...(version !== undefined && { version }) })
      throw buildpackMissing(name, 'the order', EXIT.generic)
    }
  }
  await check(order, buildpacks.find.bind(buildpacks))
  await check(extensions, buildpacks.findExtension?.bind(buildpacks))
}

async function conclude(
  result: OrderResult & { passed: true },
  { report, places }: DetectOptions,
): Promise<Pick<Detection, 'group' | 'plan'>> {
  const { buildpacks, extensions, plan, tried } = result
  const members = [...extensions, ...buildpacks]
  if (members.length < tried) report.line(`${members.length} of ${tried} buildpacks participating`)
  const width = Math.max(...members.map(({ id }) => id.length))
  for (const { id, version } of members) report.line(`${id.padEnd(width)} ${version}`)
  const group = { buildpacks, extensions }
  await mkdir(places.layers.host, { recursive: true })
  await writeFile(join(places.layers.host, 'group.toml'), printGroup(group))
  await writeFile(join(places.layers.host, 'plan.toml'), printPlan(plan))
  return { group, plan }
}

function attemptOf(found: FoundBuildpack, run: DetectRun | undefined, target: BaseTarget): DetectAttempt {
  const { descriptor } = found
  const about = { id: descriptor.id, version: descriptor.version, wantedFiles: wantedFiles(descriptor) }
  if (!run) {
    const targets = effectiveTargets(descriptor, true).map(describeTarget).join(', ')
    return { ...about, result: 'left out', words: `is for ${targets}, not for ${describeTarget(target)}` }
  }
  const words = lastWords(run.output)
  return {
    ...about,
    result: run.result,
    words: run.why ? [run.why, words].filter(part => part).join('; ') : words,
  }
}

function tell(report: Report, { descriptor }: FoundBuildpack, run: DetectRun | undefined): void {
  if (!run) return
  const say = run.result === 'errored' ? report.line : report.detail
  if (run.output !== '') {
    say(`======== Output: ${fullName(descriptor)} ========`)
    say(run.output.replace(/\n$/, ''))
  }
  if (run.why) {
    say(`======== Error: ${fullName(descriptor)} ========`)
    say(run.why)
  }
  report.detail(
    `${run.result === 'passed' ? 'pass' : run.result === 'failed' ? 'fail' : 'err'}: ${fullName(descriptor)}`,
  )
}

function keyOf({ descriptor }: FoundBuildpack): string {
  return `${descriptor.kind} ${fullName(descriptor)}`
}

/** Lets so many jobs run at the same time. */
function gateFor(most: number) {
  const waiting: (() => void)[] = []
  let free = most
  return async <Result>(job: () => Promise<Result>): Promise<Result> => {
    if (free > 0) free--
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await job()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
