import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeId, fullName, type Plan, printBuildpackPlan } from '#cnb'
import { removeTree } from '#std'
import type { BuildOptions } from './build.ts'
import { buildpackEnvironment, readGivenVariables } from './buildpack-environment.ts'
import { refuseDockerfile, switchedBase } from './dockerfile.ts'
import type { FoundBuildpack, Place } from './executor.ts'
import { buildpackMissing, EXIT, extensionFailed } from './problems.ts'
import { hasFile } from './run-detect.ts'
import { leaveScratch, planDirectory } from './scratch.ts'
import { isDirectoryItself, ownDirectory, readUntrustedText } from './untrusted.ts'

/** What generating is handed; `environment` is what extensions inherit. */
export type GenerateOptions = Omit<BuildOptions, 'platformApi'>

/** What the image extensions of a group ask for. */
export interface Generated {
  /** The run image that the app is to be put on in place of the one chosen before, and who says so. */
  readonly runImage?: { readonly reference: string; readonly extension: string }
  /** What is left for buildpacks: extensions meet all that they provide. */
  readonly plan: Plan
}

/** What one extension left. */
interface Output {
  readonly extension: string
  readonly run: string | undefined
}

const RUN = 'run.Dockerfile'
const BUILD = 'build.Dockerfile'

/**
 * Runs bin/generate of every image extension of the group (CNB image extension specification), each with a directory of its own below
 * `<layers>/generated`. Dockerfiles are never run: one that only switches the run image is obeyed, the last one counts; all else is refused.
 * Throws a `Problem`: `EXTENSION_FAILED` (exit code 91), `EXTENSION_UNSUPPORTED`, `EXTENSION_OUTPUT_INVALID` (92), `BUILDPACK_MISSING`.
 */
export async function generate(options: GenerateOptions): Promise<Generated> {
  const { report, places, group, signal } = options
  let { plan } = options
  const outputs: Output[] = []
  try {
    for (const member of group.extensions) {
      signal?.throwIfAborted()
      report.detail(`Running generate for extension ${fullName(member)}`)
      const found = await options.buildpacks.findExtension?.(member.id, member.version)
      if (!found) throw buildpackMissing(fullName(member), 'the group', EXIT.generate)
      const directory = await runGenerate(found, options, plan)
      outputs.push(await readGenerated(fullName(member), directory))
      plan = withoutProvided(plan, member)
    }
  } finally {
    await leaveScratch(places)
  }
  const runImage = chooseRunImage(outputs)
  return { plan, ...(runImage && { runImage }) }
}

/** Gives the directory with what the extension made: where it has no bin/generate, the one that it ships. */
async function runGenerate(found: FoundBuildpack, options: GenerateOptions, plan: Plan): Promise<string> {
  const { places, executor, target, environment, report, signal, execEnv = 'production' } = options
  const { descriptor, root } = found
  if (!(await hasFile(found, 'bin/generate'))) return join(root.host, 'generate')
  const output = await outputPlace(places.layers, escapeId(descriptor.id))
  const requires = plan.filter(entry => isProvidedBy(entry, descriptor)).flatMap(entry => entry.requires)
  const name = `generate-${escapeId(descriptor.id)}`
  await using scratch = await planDirectory(places, name, printBuildpackPlan(requires))
  const paths = { platform: places.platform.inside, plan: scratch.plan.inside, output: output.inside }
  const given = await readGivenVariables(places)
  const outcome = await executor.run({
    phase: 'generate',
    buildpack: found,
    command: [`${root.inside}/bin/generate`, paths.output, paths.platform, paths.plan],
    cwd: places.app.inside,
    env: buildpackEnvironment(environment, found, given, paths, { target, execEnv }),
    readable: [places.app, places.layers, places.platform, root],
    writable: [output, scratch.place],
    output: bytes => report.output(bytes),
    ...(signal && { signal }),
  })
  signal?.throwIfAborted()
  if (outcome.exitCode !== 0) {
    const how = outcome.why ?? `its bin/generate ended with exit code ${outcome.exitCode}`
    throw extensionFailed(fullName(descriptor), how)
  }
  return output.host
}

async function outputPlace({ host, inside }: Place, id: string): Promise<Place> {
  await mkdir(host, { recursive: true })
  await ownDirectory(join(host, 'generated'))
  const place = { host: join(host, 'generated', id), inside: `${inside}/generated/${id}` }
  await removeTree(place.host)
  await mkdir(place.host)
  return place
}

async function readGenerated(extension: string, directory: string): Promise<Output> {
  if (!(await isDirectoryItself(directory))) return { extension, run: undefined }
  const build = await readUntrustedText(join(directory, BUILD))
  if (build !== undefined) refuseDockerfile(build, extension, BUILD)
  return { extension, run: await readUntrustedText(join(directory, RUN)) }
}

/** The last run.Dockerfile that switches the base decides; whatever those before it say has no effect. */
function chooseRunImage(outputs: readonly Output[]): Generated['runImage'] {
  for (const { extension, run } of outputs.toReversed()) {
    const reference = run === undefined ? undefined : switchedBase(run, extension, RUN)
    if (reference !== undefined) return { reference, extension }
  }
  return undefined
}

type Entry = Plan[number]

function isProvidedBy({ providers }: Entry, { id, version }: { id: string; version: string }): boolean {
  return providers.some(each => each.extension && each.id === id && each.version === version)
}

function withoutProvided(plan: Plan, extension: { id: string; version: string }): Plan {
  return plan.filter(entry => !isProvidedBy(entry, extension))
}
