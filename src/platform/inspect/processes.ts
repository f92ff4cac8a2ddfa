import type { BuildLabel, LabelledProcess } from '#cnb'
import type { ImageConfig } from '#oci'

/** A process that an image can start. */
export interface InspectedProcess {
  readonly type: string
  /** False: the command goes through a shell. */
  readonly direct: boolean
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDirectory: string
  readonly default: boolean
  readonly execEnv: readonly string[]
}

/** Where the launcher finds its name (CNB platform specification, "Launcher"). */
const PREFIX = '/cnb/process/'

/** The processes of the build label, the default one first, as `pack inspect` lists them. */
export function processesOf(build: BuildLabel, { config }: ImageConfig): InspectedProcess[] {
  const entrypoint = config?.Entrypoint ?? []
  const found = build.processes.map(
    (process): InspectedProcess => ({
      type: process.type,
      direct: process.direct,
      command: process.command,
      args: process.args,
      workingDirectory: process.workingDirectory ?? config?.WorkingDir ?? '',
      default: isDefault(process, build, entrypoint, config?.Cmd ?? []),
      execEnv: process.execEnv,
    }),
  )
  return [...found.filter(each => each.default), ...found.filter(each => !each.default)]
}

/**
 * An image with a launcher says its default by its entrypoint. One without a launcher starts the default process itself, so there
 * its command is compared.
 */
function isDefault(
  { type, command, args }: LabelledProcess,
  { defaultProcessType }: BuildLabel,
  entrypoint: readonly string[],
  cmd: readonly string[],
): boolean {
  const [first] = entrypoint
  if (first?.startsWith('/cnb/')) return first === `${PREFIX}${type}`
  const started = [...entrypoint, ...cmd]
  return (
    started.length > 0 &&
    (defaultProcessType === undefined ? equal(started, [...command, ...args]) : type === defaultProcessType)
  )
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index])
}
