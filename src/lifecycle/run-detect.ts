import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BaseTarget,
  type BuildPlan,
  type BuildpackDescriptor,
  type Environment,
  escapeId,
  fullName,
  parseBuildPlan,
} from '#cnb'
import { Problem, printable, redact } from '#std'
import { buildpackEnvironment, type GivenVariables } from './buildpack-environment.ts'
import type { Executor, FoundBuildpack, Places } from './executor.ts'
import { planDirectory } from './scratch.ts'
import { isDirectoryItself, readUntrustedText } from './untrusted.ts'

/** How one bin/detect ended. */
export interface DetectRun {
  readonly result: 'passed' | 'failed' | 'errored'
  /** Set if it passed. */
  readonly plan?: BuildPlan
  /** Why it errored, in words. */
  readonly why?: string
  /** The end of what it wrote to stdout and stderr. */
  readonly output: string
}

/** What every bin/detect of a build is run with. */
export interface DetectGround {
  readonly places: Places
  readonly executor: Executor
  readonly given: GivenVariables
  readonly environment: Environment
  readonly target: BaseTarget
  readonly execEnv: string
  readonly signal?: AbortSignal
}

const PASS = 0
const FAIL = 100
const MOST_OUTPUT = 1 << 20

/** Runs one bin/detect (CNB buildpack specification, "Detection"). An extension without one passes with the plan that it ships. */
export async function runDetect(found: FoundBuildpack, ground: DetectGround): Promise<DetectRun> {
  if (found.descriptor.kind === 'extension' && !(await hasFile(found, 'bin/detect')))
    return shippedPlan(found)
  const { places, executor, given, environment, signal } = ground
  const name = `detect-${found.descriptor.kind}-${escapeId(found.descriptor.id)}-${found.descriptor.version}`
  await using directory = await planDirectory(places, name, '')
  const output = tail(MOST_OUTPUT)
  const paths = { platform: places.platform.inside, plan: directory.plan.inside }
  const outcome = await executor.run({
    phase: 'detect',
    buildpack: found,
    command: [`${found.root.inside}/bin/detect`, paths.platform, paths.plan],
    cwd: places.app.inside,
    env: buildpackEnvironment(environment, found, given, paths, ground),
    readable: [places.app, places.platform, found.root],
    writable: [directory.place],
    output: output.add,
    ...(signal && { signal }),
  })
  signal?.throwIfAborted()
  if (outcome.exitCode === FAIL) return { result: 'failed', output: output.text() }
  if (outcome.exitCode !== PASS) {
    const why = outcome.why ?? `it ended with exit code ${outcome.exitCode}`
    return { result: 'errored', why, output: output.text() }
  }
  return await planned(found.descriptor, output.text(), () => readUntrustedText(directory.plan.host))
}

/** True if a buildpack has a file, which says what kind of buildpack it is. */
export async function hasFile({ root }: FoundBuildpack, path: string): Promise<boolean> {
  return stat(join(root.host, path)).then(
    found => found.isFile(),
    () => false,
  )
}

/** The last line that says something, for a person: one line, no control characters, no credentials. */
export function lastWords(output: string): string {
  const lines = output.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').split(/[\r\n]+/)
  const last = lines.findLast(line => line.trim() !== '') ?? ''
  return printable(redact(last.trim())).slice(0, 300)
}

async function shippedPlan(found: FoundBuildpack): Promise<DetectRun> {
  const directory = join(found.root.host, 'detect')
  return planned(found.descriptor, '', async () =>
    (await isDirectoryItself(directory)) ? readUntrustedText(join(directory, 'plan.toml')) : undefined,
  )
}

async function planned(
  descriptor: BuildpackDescriptor,
  output: string,
  read: () => Promise<string | undefined>,
): Promise<DetectRun> {
  try {
    const plan = parseBuildPlan((await read()) ?? '', `the build plan of ${fullName(descriptor)}`)
    if (descriptor.kind === 'extension' && plan.some(({ requires }) => requires.length > 0)) {
      return { result: 'errored', why: 'extensions may not require anything', output }
    }
    return { result: 'passed', plan, output }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { result: 'errored', why: `${error.what}: ${error.why}`, output }
  }
}

/** Keeps the last bytes of what goes through. */
function tail(limit: number) {
  let kept: Buffer[] = []
  let length = 0
  return {
    add(bytes: Uint8Array) {
      kept.push(Buffer.from(bytes))
      length += bytes.byteLength
      if (length <= 2 * limit) return
      kept = [Buffer.concat(kept).subarray(-limit)]
      length = limit
    },
    text: () => Buffer.concat(kept).subarray(-limit).toString(),
  }
}
