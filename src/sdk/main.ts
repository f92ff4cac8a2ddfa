import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { check, Problem, parseJson } from '#std'
import type { Buildpack } from './context.ts'
import type { Call } from './open-context.ts'
import { buildPhase, detectPhase } from './phases.ts'
import { notStartedByLifecycle } from './problems.ts'

/**
 * Runs a buildpack as bin/detect or bin/build: reads what the lifecycle handed over (arguments and `CNB_*` variables, Buildpack API
 * 0.8 to 0.12) and ends the process with the code that the specification asks for.
 */
export async function main(buildpack: Buildpack): Promise<void> {
  // Whatever a buildpack writes gets the same modes on every machine.
  process.umask(0o022)
  try {
    const { words, environment } = calledWith()
    process.exitCode = await run(buildpack, words, environment)
  } catch (error) {
    process.stdout.write(wordsFor(error))
    process.exitCode = 1
  }
}

/** What the lifecycle says: with the start of this process, or later at stdin, where slipway had it started ahead. */
function calledWith(): {
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
} {
  const words = process.argv.slice(2)
  if (words[0] !== 'called-later') return { words, environment: process.env }
  const call = check(callSchema, parseJson(readFileSync(0, 'utf8'), 'the call'), 'the call')
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, call.environment)
  return { words: call.words, environment: process.env }
}

const callSchema = v.object({ words: v.array(v.string()), environment: v.record(v.string(), v.string()) })

async function run(
  { detect, build }: Buildpack,
  [phase, ...words]: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const directory = environment.CNB_BUILDPACK_DIR
  if (!directory) throw notStartedByLifecycle('CNB_BUILDPACK_DIR is not set')
  const call = (platform: string): Call => ({
    application: process.cwd(),
    buildpack: directory,
    platform: environment.CNB_PLATFORM_DIR || platform,
    environment,
    machine: process.arch,
    sink: text => void process.stdout.write(text),
  })
  if (phase === 'detect') {
    const [platform, plan] = words
    if (!platform || !plan)
      throw notStartedByLifecycle('bin/detect was not given a platform directory and a plan')
    return await detectPhase(detect, call(platform), environment.CNB_BUILD_PLAN_PATH || plan)
  }
  const [layers, platform, plan] = words
  if (phase !== 'build' || !layers || !platform || !plan)
    throw notStartedByLifecycle('bin/build was not given a layers directory, a platform directory and a plan')
  await buildPhase(
    build,
    call(platform),
    environment.CNB_LAYERS_DIR || layers,
    environment.CNB_BP_PLAN_PATH || plan,
  )
  return 0
}

function wordsFor(error: unknown): string {
  if (error instanceof Problem) return `ERROR: ${error.what}\n  ${error.why}\n  ${error.fix}\n`
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `ERROR: the buildpack has a defect\n${text}\n`
}
