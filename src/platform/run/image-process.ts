import * as v from 'valibot'
import { type ImageConfig, labelsOf } from '#oci'
import { check, parseJson } from '#std'
import { commandUnknown, processNeedsLauncher, processUnknown } from '../problems.ts'
import { findInRoot } from '../roots/root-files.ts'

/** What is started, and where. */
export interface ImageProcess {
  readonly command: readonly string[]
  readonly cwd: string
}

const LABEL = 'io.buildpacks.build.metadata'
const strings = v.nullish(v.array(v.string()), [])
const metadata = v.looseObject({
  processes: v.nullish(
    v.array(
      v.looseObject({
        type: v.string(),
        command: v.nullish(v.union([v.string(), v.array(v.string())]), []),
        args: strings,
        direct: v.nullish(v.boolean(), false),
        'working-dir': v.nullish(v.string()),
      }),
    ),
    [],
  ),
})

/**
 * What an image starts: its entrypoint with the arguments given, else with its own (OCI image-spec config.md). A process type is started through the
 * launcher (`/cnb/process/TYPE`), or as the image's metadata say where it holds none. Throws a `Problem` (`RUN_PROCESS_UNKNOWN`, `RUN_COMMAND_UNKNOWN`).
 */
export async function processOf(
  config: ImageConfig,
  lower: readonly string[],
  { type, words }: { readonly type: string | undefined; readonly words: readonly string[] },
): Promise<ImageProcess> {
  const { Entrypoint = [], Cmd = [], WorkingDir } = config.config ?? {}
  const cwd = WorkingDir?.startsWith('/') ? WorkingDir : '/'
  if (type === undefined) {
    const command = [...Entrypoint, ...(words.length > 0 ? words : Cmd)]
    if (command.length === 0 || command[0] === '') throw commandUnknown()
    return { command, cwd }
  }
  const known = processesOf(config)
  const found = known.find(each => each.type === type)
  if (!found)
    throw processUnknown(
      type,
      known.map(each => each.type),
    )
  const link = `/cnb/process/${type}`
  if (!type.includes('/') && (await findInRoot(lower, link))) return { command: [link, ...words], cwd }
  if (!found.direct) throw processNeedsLauncher(type)
  const own = typeof found.command === 'string' ? [found.command] : found.command
  return { command: [...own, ...(words.length > 0 ? words : found.args)], cwd: found['working-dir'] || cwd }
}

function processesOf(config: ImageConfig) {
  const text = labelsOf(config)[LABEL]
  if (text === undefined) return []
  const source = `the label ${LABEL}`
  return check(metadata, parseJson(text, source), source).processes.map(process => ({
    ...process,
    args: process.args ?? [],
    command: process.command ?? [],
  }))
}
