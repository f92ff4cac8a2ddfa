import * as v from 'valibot'
import { printToml } from '#std'
import { type BuildpackApi, parseBuildpackApi } from './api-version.ts'
import { readDocument, withoutEmpty, withoutUndefined } from './document.ts'
import { type BuildpackId, parseBuildpackId, parseVersion } from './ids.ts'

/** A buildpack or extension that takes part in a build. */
export interface GroupMember {
  readonly id: BuildpackId
  readonly version: string
  readonly api: BuildpackApi
  readonly homepage?: string
}

/** Who takes part in a build, in order (group.toml). */
export interface Group {
  readonly buildpacks: readonly GroupMember[]
  readonly extensions: readonly GroupMember[]
}

/** `[[group]]`, and `[[buildpacks]]` of metadata.toml. */
export const membersSchema = v.optional(
  v.array(
    v.object({ id: v.string(), version: v.string(), api: v.string(), homepage: v.optional(v.string()) }),
  ),
  () => [],
)
const document = v.object({ group: membersSchema, 'group-extensions': membersSchema })

/** Prints a group.toml. */
export function printGroup({ buildpacks, extensions }: Group): string {
  return printToml({
    ...(buildpacks.length > 0 && { group: buildpacks.map(memberTable) }),
    ...(extensions.length > 0 && { 'group-extensions': extensions.map(memberTable) }),
  })
}

/** Reads a group.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, `BUILDPACK_API_UNSUPPORTED`, …). */
export function parseGroup(text: string, file: string): Group {
  const { group, 'group-extensions': extensions } = readDocument(document, text, file)
  return { buildpacks: membersFrom(group, file), extensions: membersFrom(extensions, file) }
}

/** Checks ids, versions and APIs of parsed members. */
export function membersFrom(members: v.InferOutput<typeof membersSchema>, source: string): GroupMember[] {
  return members.map(({ id, version, api, homepage }) => ({
    id: parseBuildpackId(id, source),
    version: parseVersion(version, source),
    api: parseBuildpackApi(api, `${source} (${id}@${version})`),
    ...withoutUndefined({ homepage }),
  }))
}

/** A member as group.toml and metadata.toml spell it. */
export function memberTable({ id, version, api, homepage }: GroupMember): Record<string, unknown> {
  return withoutEmpty({ id, version, api, homepage })
}
