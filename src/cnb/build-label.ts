import * as v from 'valibot'
import { check, parseJson } from '#std'
import { withoutUndefined } from './document.ts'
import type { LauncherInfo } from './labels.ts'

/** A process as the build label of an image names it, unchecked: images come from anywhere. */
export interface LabelledProcess {
  readonly type: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly direct: boolean
  readonly buildpackId: string
  readonly workingDirectory?: string
  readonly execEnv: readonly string[]
}

/** What `io.buildpacks.build.metadata` says, of images of any lifecycle. */
export interface BuildLabel {
  readonly buildpacks: readonly {
    readonly id: string
    readonly version: string
    readonly homepage?: string
  }[]
  readonly extensions: readonly {
    readonly id: string
    readonly version: string
    readonly homepage?: string
  }[]
  readonly launcher: LauncherInfo
  readonly processes: readonly LabelledProcess[]
  readonly defaultProcessType?: string
}

const text = v.nullish(v.string(), '')
const strings = v.nullish(v.array(v.string()), () => [])
const modules = v.nullish(
  v.array(v.object({ id: v.string(), version: text, homepage: v.nullish(v.string()) })),
  () => [],
)
const process = v.object({
  type: v.string(),
  command: v.nullish(v.union([v.string(), v.array(v.string())]), () => []),
  args: strings,
  direct: v.nullish(v.boolean(), false),
  buildpackID: text,
  'working-dir': text,
  'exec-env': strings,
})
const git = v.nullish(v.object({ repository: text, commit: text }), () => ({ repository: '', commit: '' }))
const launcher = v.object({ version: text, source: v.nullish(v.object({ git })) })
const label = v.object({
  buildpacks: modules,
  extensions: modules,
  launcher: v.nullish(launcher, () => ({ version: '' })),
  processes: v.nullish(v.array(process), () => []),
  'buildpack-default-process-type': text,
})

/** Reads the label. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseBuildLabel(json: string, source: string): BuildLabel {
  const parsed = check(label, parseJson(json, source), source)
  const defaultProcessType = parsed['buildpack-default-process-type']
  return {
    buildpacks: parsed.buildpacks.map(moduleFrom),
    extensions: parsed.extensions.map(moduleFrom),
    launcher: launcherFrom(parsed.launcher),
    processes: parsed.processes.map(processFrom),
    ...(defaultProcessType !== '' && { defaultProcessType }),
  }
}

function moduleFrom({
  id,
  version,
  homepage,
}: {
  id: string
  version: string
  homepage?: string | null | undefined
}) {
  return { id, version, ...withoutUndefined({ homepage: homepage || undefined }) }
}

function launcherFrom({ version, source }: v.InferOutput<typeof launcher>): LauncherInfo {
  const { repository, commit } = source?.git ?? { repository: '', commit: '' }
  return { version, ...(repository !== '' && { repository }), ...(commit !== '' && { commit }) }
}

function processFrom(each: v.InferOutput<typeof process>): LabelledProcess {
  return {
    type: each.type,
    command: typeof each.command === 'string' ? [each.command] : each.command,
    args: each.args,
    direct: each.direct,
    buildpackId: each.buildpackID,
    ...(each['working-dir'] !== '' && { workingDirectory: each['working-dir'] }),
    execEnv: each['exec-env'],
  }
}
