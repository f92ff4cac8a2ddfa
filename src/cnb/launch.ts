import * as v from 'valibot'
import { atLeast, type BuildpackApi } from './api-version.ts'
import { type BomEntry, bomFrom, bomSchema } from './bom-entry.ts'
import { execEnv, optionalStrings, readDocument } from './document.ts'
import { type ProcessType, parseProcessType } from './ids.ts'
import { documentInvalid } from './problems.ts'

/** A label for the image. */
export interface Label {
  readonly key: string
  readonly value: string
}

/** Files of the app that go to a layer of their own. */
export interface Slice {
  readonly paths: readonly string[]
}

/** A process that the image can start. `command` has one element at least. */
export interface Process {
  readonly type: ProcessType
  readonly command: readonly string[]
  readonly args: readonly string[]
  /** False: the command goes through a shell (Buildpack API below 0.9). */
  readonly direct: boolean
  readonly default: boolean
  readonly workingDirectory?: string
  /** Execution environments that it is meant for; empty means all. */
  readonly execEnv: readonly string[]
}

/** What a launch.toml says. */
export interface Launch {
  readonly labels: readonly Label[]
  readonly processes: readonly Process[]
  readonly slices: readonly Slice[]
  /** The old bill of materials, kept apart as the specification still allows it. */
  readonly bom: readonly BomEntry[]
}

const process = v.object({
  type: v.string(),
  command: v.union([v.string(), v.array(v.string())], 'must be a list of strings'),
  args: optionalStrings,
  direct: v.optional(v.boolean()),
  default: v.optional(v.boolean(), false),
  'working-dir': v.optional(v.string(), ''),
  'exec-env': execEnv,
})
const document = v.object({
  labels: v.optional(v.array(v.object({ key: v.string(), value: v.string() })), () => []),
  processes: v.optional(v.array(process), () => []),
  slices: v.optional(v.array(v.object({ paths: optionalStrings })), () => []),
  bom: bomSchema,
})

/**
 * Reads a launch.toml by the rules of the buildpack's API. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`,
 * `PROCESS_TYPE_INVALID`). Below 0.8 a `working-dir` is left out, below 0.12 `exec-env` is.
 */
export function parseLaunch(text: string, file: string, api: BuildpackApi): Launch {
  const { labels, processes, slices, bom } = readDocument(document, text, file)
  const defaults = processes.filter(each => each.default)
  if (defaults.length > 1) {
    throw documentInvalid(
      file,
      `${defaults.length} processes are the default`,
      'The buildpack has to choose one.',
    )
  }
  const nameless = labels.find(({ key }) => key === '')
  if (nameless) throw documentInvalid(file, 'a label has an empty key')
  return {
    labels,
    processes: processes.map(each => processFrom(each, file, api)),
    slices,
    bom: bomFrom(bom, file),
  }
}

function processFrom(each: v.InferOutput<typeof process>, file: string, api: BuildpackApi): Process {
  const type = parseProcessType(each.type, file)
  return {
    type,
    ...commandFrom(each, `the process ${type}`, file, api),
    args: each.args,
    default: each.default,
    ...(each['working-dir'] !== '' && atLeast(api, '0.8') && { workingDirectory: each['working-dir'] }),
    execEnv: atLeast(api, '0.12') ? each['exec-env'] : [],
  }
}

/** API 0.9 made commands lists, and every process direct. */
function commandFrom(
  { command, direct }: v.InferOutput<typeof process>,
  subject: string,
  file: string,
  api: BuildpackApi,
): Pick<Process, 'command' | 'direct'> {
  const listed = atLeast(api, '0.9')
  if (listed && direct !== undefined) {
    throw documentInvalid(file, `${subject} has "direct", which Buildpack API ${api} does not know`)
  }
  if (listed !== Array.isArray(command)) {
    const wanted = listed ? 'a list of strings' : 'one string'
    throw documentInvalid(file, `the command of ${subject} must be ${wanted} in Buildpack API ${api}`)
  }
  const words = typeof command === 'string' ? [command] : command
  if (words.length === 0 || words[0] === '') throw documentInvalid(file, `${subject} has no command`)
  return { command: words, direct: listed || (direct ?? false) }
}
