import { withoutEmpty } from './document.ts'
import { printGoJson } from './go-json.ts'
import type { BuildMetadata, LaunchProcess } from './metadata.ts'

/** Labels that the lifecycle sets (CNB platform specification, "Labels"). */
export const LIFECYCLE_LABEL = 'io.buildpacks.lifecycle.metadata'
export const BUILD_LABEL = 'io.buildpacks.build.metadata'
export const PROJECT_LABEL = 'io.buildpacks.project.metadata'
export const EXEC_ENV_LABEL = 'io.buildpacks.exec-env'
/** Labels of a base image. */
export const REBASABLE_LABEL = 'io.buildpacks.rebasable'
export const BASE_ID_LABEL = 'io.buildpacks.base.id'
export const DISTRO_NAME_LABEL = 'io.buildpacks.base.distro.name'
export const DISTRO_VERSION_LABEL = 'io.buildpacks.base.distro.version'
export const STACK_ID_LABEL = 'io.buildpacks.stack.id'

/** The launcher of an image, as the build label names it. */
export interface LauncherInfo {
  readonly version: string
  readonly repository?: string
  readonly commit?: string
}

/** Prints `io.buildpacks.build.metadata` in the reference's order of keys. */
export function printBuildLabel(metadata: BuildMetadata, launcher: LauncherInfo): string {
  const { buildpacks, extensions, processes, defaultProcessType } = metadata
  const named = buildpacks.map(({ id, version, homepage }) => withoutEmpty({ id, version, homepage }))
  const extending = extensions.map(({ id, version, homepage }) => withoutEmpty({ id, version, homepage }))
  return printGoJson({
    buildpacks: named,
    ...withoutEmpty({ extensions: extending }),
    launcher: {
      version: launcher.version,
      source: { git: { repository: launcher.repository ?? '', commit: launcher.commit ?? '' } },
    },
    processes: processes.map(processTable),
    ...withoutEmpty({ 'buildpack-default-process-type': defaultProcessType }),
  })
}

function processTable(process: LaunchProcess) {
  const { type, command, args, direct, buildpackId, workingDirectory, execEnv } = process
  return {
    type,
    command,
    args: args.length > 0 ? args : null,
    direct,
    buildpackID: buildpackId,
    ...withoutEmpty({ 'working-dir': workingDirectory, 'exec-env': execEnv }),
  }
}
