import { join } from 'node:path'
import {
  applyEnvironmentFiles,
  applyUserVariables,
  atLeast,
  type BaseTarget,
  type BuildpackDescriptor,
  type Environment,
  type EnvironmentFile,
  environmentRecord,
} from '#cnb'
import { readEnvironmentDirectory } from './environment-directory.ts'
import type { FoundBuildpack, Places } from './executor.ts'

/** What the user and the operator set for all buildpacks. */
export interface GivenVariables {
  readonly user: readonly EnvironmentFile[]
  readonly operator: readonly EnvironmentFile[]
}

/** Paths inside, for the variables that name them. */
export interface BuildpackPaths {
  readonly platform: string
  /** `CNB_BUILD_PLAN_PATH` when detecting, `CNB_BP_PLAN_PATH` when building and generating. */
  readonly plan: string
  /** The buildpack's own layers directory; only when building. */
  readonly layers?: string
  /** Where an image extension writes; only when generating. */
  readonly output?: string
}

/** Reads `<platform>/env` and `<build config>/env`. */
export async function readGivenVariables({ platform, buildConfig }: Places): Promise<GivenVariables> {
  return {
    user: await readEnvironmentDirectory(join(platform.host, 'env')),
    operator: buildConfig ? await readEnvironmentDirectory(join(buildConfig.host, 'env')) : [],
  }
}

/**
 * The whole environment of one bin/detect or bin/build (CNB buildpack specification, "Environment"; as the reference): what is there
 * so far, then the user's variables unless the buildpack clears them, then the operator's, then those of the specification.
 */
export function buildpackEnvironment(
  soFar: Environment,
  { descriptor, root }: FoundBuildpack,
  given: GivenVariables,
  paths: BuildpackPaths,
  { target, execEnv }: { readonly target: BaseTarget; readonly execEnv: string },
): Record<string, string> {
  const users = descriptor.clearEnv ? soFar : applyUserVariables(soFar, given.user)
  const operators = applyEnvironmentFiles(users, given.operator, 'default')
  const ours = specified(descriptor, root.inside, paths, target, execEnv)
  return environmentRecord(new Map([...operators, ...ours]))
}

function specified(
  { api, kind }: BuildpackDescriptor,
  root: string,
  { platform, plan, layers, output }: BuildpackPaths,
  target: BaseTarget,
  execEnv: string,
): [string, string][] {
  const detecting = layers === undefined && output === undefined
  const planVariable = detecting ? 'CNB_BUILD_PLAN_PATH' : 'CNB_BP_PLAN_PATH'
  const variables: [string, string, since?: Parameters<typeof atLeast>[1]][] = [
    [kind === 'extension' ? 'CNB_EXTENSION_DIR' : 'CNB_BUILDPACK_DIR', root],
    ['CNB_PLATFORM_DIR', platform, '0.8'],
    [planVariable, plan, '0.8'],
    ...(layers === undefined ? [] : [['CNB_LAYERS_DIR', layers, '0.8'] as [string, string, '0.8']]),
    ...(output === undefined ? [] : [['CNB_OUTPUT_DIR', output] as [string, string]]),
    ...targetVariables(target).map(([name, value]): [string, string, '0.10'] => [name, value, '0.10']),
    ['CNB_EXEC_ENV', execEnv, '0.12'],
  ]
  return variables
    .filter(([, , since]) => since === undefined || atLeast(api, since))
    .map(([name, value]) => [name, value])
}

function targetVariables({ os, arch, variant, distro }: BaseTarget): [string, string][] {
  const optional: [string, string | undefined][] = [
    ['CNB_TARGET_ARCH_VARIANT', variant],
    ['CNB_TARGET_DISTRO_NAME', distro?.name],
    ['CNB_TARGET_DISTRO_VERSION', distro?.version],
  ]
  return [
    ['CNB_TARGET_OS', os],
    ['CNB_TARGET_ARCH', arch],
    ...optional.flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : [])),
  ]
}
