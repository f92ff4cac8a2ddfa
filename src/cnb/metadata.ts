import * as v from 'valibot'
import { printToml } from '#std'
import { execEnv, optionalStrings, readDocument, withoutEmpty } from './document.ts'
import { type GroupMember, membersFrom, membersSchema, memberTable } from './group.ts'
import { type BuildpackId, parseBuildpackId, parseProcessType } from './ids.ts'
import type { Label, Process, Slice } from './launch.ts'

/** A process of the image, with the buildpack that it comes from. */
export interface LaunchProcess extends Omit<Process, 'default'> {
  readonly buildpackId: BuildpackId
}

/** What a build agreed on for the image (`<layers>/config/metadata.toml`), which the launcher reads. */
export interface BuildMetadata {
  readonly buildpacks: readonly GroupMember[]
  readonly extensions: readonly GroupMember[]
  readonly labels: readonly Label[]
  /** Sorted by type, one of each. */
  readonly processes: readonly LaunchProcess[]
  readonly slices: readonly Slice[]
  readonly defaultProcessType?: string
}

const process = v.object({
  type: v.string(),
  command: v.union([
    v.array(v.string()),
    v.pipe(
      v.string(),
      v.transform(command => [command]),
    ),
  ]),
  args: optionalStrings,
  direct: v.optional(v.boolean(), false),
  'buildpack-id': v.string(),
  'working-dir': v.optional(v.string(), ''),
  'exec-env': execEnv,
})
const document = v.object({
  'buildpack-default-process-type': v.optional(v.string(), ''),
  buildpacks: membersSchema,
  extensions: membersSchema,
  labels: v.optional(v.array(v.object({ key: v.string(), value: v.string() })), () => []),
  processes: v.optional(v.array(process), () => []),
  slices: v.optional(v.array(v.object({ paths: optionalStrings })), () => []),
})

/** Prints a metadata.toml. Equal values give equal text; without processes it says `processes = []`, as the reference does. */
export function printMetadata(metadata: BuildMetadata): string {
  const { buildpacks, extensions, labels, processes, slices, defaultProcessType } = metadata
  return printToml({
    ...withoutEmpty({ 'buildpack-default-process-type': defaultProcessType }),
    ...(processes.length === 0 && { processes }),
    ...withoutEmpty({
      buildpacks: buildpacks.map(memberTable),
      extensions: extensions.map(memberTable),
      labels: labels.map(({ key, value }) => ({ key, value })),
      processes: processes.map(processTable),
      slices: slices.map(({ paths }) => ({ paths })),
    }),
  })
}

/** Reads a metadata.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, `BUILDPACK_API_UNSUPPORTED`, …). */
export function parseMetadata(text: string, file: string): BuildMetadata {
  const { buildpacks, extensions, labels, processes, slices, ...rest } = readDocument(document, text, file)
  const defaultProcessType = rest['buildpack-default-process-type']
  return {
    buildpacks: membersFrom(buildpacks, file),
    extensions: membersFrom(extensions, file),
    labels,
    processes: processes.map(each => processFrom(each, file)),
    slices,
    ...(defaultProcessType !== '' && { defaultProcessType }),
  }
}

function processTable(each: LaunchProcess): Record<string, unknown> {
  const { type, command, args, direct, buildpackId, workingDirectory, execEnv: environments } = each
  return withoutEmpty({
    type,
    command,
    args,
    direct,
    'buildpack-id': buildpackId,
    'working-dir': workingDirectory,
    'exec-env': environments,
  })
}

function processFrom(each: v.InferOutput<typeof process>, file: string): LaunchProcess {
  return {
    type: parseProcessType(each.type, file),
    command: each.command,
    args: each.args,
    direct: each.direct,
    buildpackId: parseBuildpackId(each['buildpack-id'], file),
    ...(each['working-dir'] !== '' && { workingDirectory: each['working-dir'] }),
    execEnv: each['exec-env'],
  }
}
