import {
  type BomEntry,
  type BuildMetadata,
  type BuildpackDescriptor,
  type Environment,
  fullName,
  type Group,
  type Launch,
  type LaunchProcess,
} from '#cnb'
import { byBytes, type Report } from '#std'
import type { Bill } from './bills.ts'
import type { DeclaredLayer } from './read-layers.ts'

/** All that one buildpack's bin/build left behind. */
export interface BuildpackOutput {
  readonly descriptor: BuildpackDescriptor
  readonly layers: readonly DeclaredLayer[]
  /** With the variables of its build layers. */
  readonly environment: Environment
  readonly unmet: readonly string[]
  readonly buildBom: readonly BomEntry[]
  readonly launch: Launch
  readonly bills: readonly Bill[]
}

/**
 * What all buildpacks together ask of the image (CNB platform specification, "builder"): labels and slices one after the other; of the processes
 * of one type the last, sorted by type. A later process of the default's type that is not itself a default takes the default away.
 */
export function mergeOutputs(
  group: Group,
  outputs: readonly BuildpackOutput[],
  report: Report,
): BuildMetadata {
  const processes = new Map<string, LaunchProcess>()
  let defaultProcessType: string | undefined
  for (const { descriptor, launch } of outputs) {
    for (const { default: isDefault, ...process } of launch.processes) {
      if (isDefault) defaultProcessType = process.type
      else if (process.type === defaultProcessType) {
        defaultProcessType = undefined
        report.warn(
          `${fullName(descriptor)} redefines the default process ${process.type} without making it the default; there is none now.`,
        )
      }
      processes.set(process.type, { ...process, buildpackId: descriptor.id })
    }
  }
  return {
    buildpacks: group.buildpacks,
    extensions: group.extensions,
    labels: outputs.flatMap(({ launch }) => launch.labels),
    processes: [...processes.values()].toSorted((a, b) => byBytes(a.type, b.type)),
    slices: outputs.flatMap(({ launch }) => launch.slices),
    ...(defaultProcessType !== undefined && { defaultProcessType }),
  }
}
