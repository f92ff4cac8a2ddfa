import {
  atLeast,
  BUILD_LABEL,
  type BuildMetadata,
  EXEC_ENV_LABEL,
  type LauncherInfo,
  LIFECYCLE_LABEL,
  type LifecycleMetadata,
  type PlatformApi,
  PROJECT_LABEL,
  type ProjectMetadata,
  printBuildLabel,
  printLifecycleMetadata,
  printProjectLabel,
  REBASABLE_LABEL,
} from '#cnb'
import { labelReserved } from './export-problems.ts'

/** What the labels of an app image are made from. */
export interface LabelSources {
  readonly lifecycle: LifecycleMetadata
  readonly build: BuildMetadata
  readonly launcher: LauncherInfo
  readonly project: ProjectMetadata
  readonly execEnv: string
  readonly platformApi: PlatformApi
}

/**
 * The labels of an app image, in the order in which they are set (CNB platform specification, "Labels"). Labels below `io.buildpacks.` are the
 * lifecycle's and the run image's, and rebasing relies on them: a buildpack may say `io.buildpacks.rebasable` and no other.
 * Throws a `Problem` (`LABEL_RESERVED`, exit code 62).
 */
export function appLabels({
  lifecycle,
  build,
  launcher,
  project,
  execEnv,
  platformApi,
}: LabelSources): Record<string, string> {
  const labels: [string, string][] = [
    [LIFECYCLE_LABEL, printLifecycleMetadata(lifecycle)],
    [BUILD_LABEL, printBuildLabel(build, launcher)],
    [PROJECT_LABEL, printProjectLabel(project)],
  ]
  for (const { key, value } of build.labels) {
    if (key.startsWith('io.buildpacks.') && key !== REBASABLE_LABEL) throw labelReserved(key)
    labels.push([key, value])
  }
  if (atLeast(platformApi, '0.15') && execEnv !== '') labels.push([EXEC_ENV_LABEL, execEnv])
  return Object.fromEntries(labels)
}
