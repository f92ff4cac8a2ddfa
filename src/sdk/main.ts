import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { check, Problem, parseJson } from '#std'
import type { Buildpack } from './context.ts'
import type { Call } from './open-context.ts'
import { buildPhase, detectPhase, rehearse } from './phases.ts'
import { notStartedByLifecycle } from './problems.ts'

/**
 * Runs a buildpack as bin/detect or bin/build: reads what the lifecycle handed over (arguments and `CNB_*` variables, Buildpack API
 * 0.8 to 0.12) and ends the process with the code that the specification asks for.
 */
export async function main(buildpack: Buildpack): Promise<void> {
  // Whatever a buildpack writes gets the same modes on every machine.
  process.umask(0o022)
  try {
    const words = process.argv.slice(2)
    const called = words[0] === 'called-later' ? await calledLater(words.slice(1)) : words
    process.exitCode = await run(buildpack, called, process.env)
  } catch (error) {
    process.stdout.write(wordsFor(error))
    process.exitCode = 1
  }
}

const callSchema = v.object({ words: v.array(v.string()), environment: v.record(v.string(), v.string()) })

/**
 * Waits for what this process is to do: slipway starts a buildpack ahead, with the words that it will likely be called with, and gives it the right ones and its environment as JSON at stdin.
 * Until then the build is opened once for nothing, so that what it takes is compiled.
 */
async function calledLater([phase, ...likely]: readonly string[]): Promise<readonly string[]> {
  const [layers, platform, plan] = likely
  const directory = process.env.CNB_BUILDPACK_DIR
  if (phase === 'build' && directory && layers && platform && plan)
    await rehearse({ ...callOf(directory, platform, process.env), sink: () => {} }, layers, plan)
  const call = check(callSchema, parseJson(readFileSync(0, 'utf8'), 'the call'), 'the call')
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, call.environment)
  return call.words
}

function callOf(directory: string, platform: string, environment: NodeJS.ProcessEnv): Call {
  return {
    application: process.cwd(),
    buildpack: directory,
    platform: environment.CNB_PLATFORM_DIR || platform,
    environment,
    machine: process.arch,
    sink: text => void process.stdout.write(text),
  }
}

async function run(
  { detect, build }: Buildpack,
  [phase, ...words]: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const directory = environment.CNB_BUILDPACK_DIR
  if (!directory) throw notStartedByLifecycle('CNB_BUILDPACK_DIR is not set')
  if (phase === 'detect') {
    const [platform, plan] = words
    if (!platform || !plan)
      throw notStartedByLifecycle('bin/detect was not given a platform directory and a plan')
    const call = callOf(directory, platform, environment)
    return await detectPhase(detect, call, environment.CNB_BUILD_PLAN_PATH || plan)
  }
  const [layers, platform, plan] = words
  if (phase !== 'build' || !layers || !platform || !plan)
    throw notStartedByLifecycle('bin/build was not given a layers directory, a platform directory and a plan')
  await buildPhase(
    build,
    callOf(directory, platform, environment),
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
