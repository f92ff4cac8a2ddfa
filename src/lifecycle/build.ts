import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BaseTarget,
  type BuildMetadata,
  type Environment,
  fullName,
  type Group,
  type Plan,
  type PlatformApi,
  printMetadata,
  withoutMet,
} from '#cnb'
import { type Report, removeTree } from '#std'
import { readGivenVariables } from './buildpack-environment.ts'
import type { BuildpackSource, Executor, Places } from './executor.ts'
import { type BuildpackOutput, mergeOutputs } from './merge-outputs.ts'
import { buildpackMissing, EXIT } from './problems.ts'
import { readOutput } from './read-output.ts'
import { type BuildGround, prepareFirst, runBuild } from './run-build.ts'
import { scratchOf } from './scratch.ts'
import { ownDirectory } from './untrusted.ts'
import { writeBills } from './write-bills.ts'

/** What building is handed. */
export interface BuildOptions {
  readonly report: Report
  readonly signal?: AbortSignal
  readonly places: Places
  readonly executor: Executor
  readonly buildpacks: BuildpackSource
  readonly group: Group
  readonly plan: Plan
  readonly target: BaseTarget
  readonly platformApi?: PlatformApi
  /** `production` unless told otherwise. */
  readonly execEnv?: string
  /** What buildpacks inherit (`inheritedEnvironment`). */
  readonly environment: Environment
}

/**
 * Runs bin/build of every buildpack of the group, one after the other (CNB platform specification, "builder"). Each finds the variables of the
 * build layers before it, and its part of the plan. Afterwards `<layers>/sbom` and `<layers>/config/metadata.toml` are there; layers that
 * are for nothing are renamed to `<layer>.ignore`. Output of buildpacks goes to the report as it comes. Throws a `Problem`:
 * `BUILDPACK_FAILED` (exit code 51), `BUILDPACK_OUTPUT_INVALID`, `BUILDPACK_MISSING` (52).
 */
export async function build(options: BuildOptions): Promise<BuildMetadata> {
  const { report, places, group, signal } = options
  await removeTree(join(places.layers.host, 'sbom'))
  const ground = await groundOf(options)
  const outputs: BuildpackOutput[] = []
  let { environment, plan } = options
  try {
    for (const [index, member] of group.buildpacks.entries()) {
      signal?.throwIfAborted()
      report.detail(`Running build for buildpack ${fullName(member)}`)
      const found = await options.buildpacks.find(member.id, member.version)
      if (!found) throw buildpackMissing(fullName(member), 'the group', EXIT.build)
      await prepareFirst(options.buildpacks, group.buildpacks.slice(index + 1), ground, environment, plan)
      const { directory, requires } = await runBuild(found, ground, environment, plan)
      const output = await readOutput(found.descriptor, directory, requires, environment, report)
      environment = output.environment
      plan = withoutMet(plan, member, output.unmet)
      outputs.push(output)
    }
  } finally {
    await removeTree(scratchOf(places).host)
  }
  const metadata = mergeOutputs(group, outputs, report)
  await writeBills(places.layers.host, outputs)
  await writeConfig(places.layers.host, metadata)
  return metadata
}

/** Gets the first bin/build of these buildpacks ready, of which it may not be certain yet that they take part; what came of it is seen when it runs. */
export async function prepareBuild(
  options: Omit<BuildOptions, 'group'>,
  members: readonly { readonly id: string; readonly version: string }[],
): Promise<void> {
  const { buildpacks, environment, plan } = options
  if (!options.executor.prepare) return
  await prepareFirst(buildpacks, members, await groundOf(options), environment, plan)
}

async function groundOf(options: Omit<BuildOptions, 'group'>): Promise<BuildGround> {
  const { places, executor, target, report, signal, execEnv = 'production' } = options
  const given = await readGivenVariables(places)
  return { places, executor, given, target, execEnv, report, ...(signal && { signal }) }
}

/** Whatever a buildpack may have put there is replaced. */
async function writeConfig(layers: string, metadata: BuildMetadata): Promise<void> {
  const directory = join(layers, 'config')
  await removeTree(directory)
  await rm(directory, { force: true })
  await ownDirectory(directory)
  await writeFile(join(directory, 'metadata.toml'), printMetadata(metadata), { flag: 'wx', mode: 0o644 })
}
