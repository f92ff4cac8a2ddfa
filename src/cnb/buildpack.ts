import * as v from 'valibot'
import { atLeast, type BuildpackApi, parseBuildpackApi } from './api-version.ts'
import { execEnv, freeTable, optionalStrings, readDocument, withoutUndefined } from './document.ts'
import { type BuildpackId, parseBuildpackId, parseVersion } from './ids.ts'
import { type Order, orderFrom, orderSchema } from './order.ts'
import { documentInvalid } from './problems.ts'
import { type Target, targetSchema } from './target.ts'

/** A stack that a buildpack was written for, from before there were targets. */
export interface Stack {
  readonly id: string
  readonly mixins: readonly string[]
}

/** What a buildpack.toml or extension.toml says (CNB buildpack specification, "buildpack.toml"). */
export interface BuildpackDescriptor {
  readonly kind: 'buildpack' | 'extension'
  readonly api: BuildpackApi
  readonly id: BuildpackId
  readonly version: string
  readonly name?: string
  readonly homepage?: string
  readonly description?: string
  readonly keywords: readonly string[]
  readonly licenses: readonly { readonly type?: string; readonly uri?: string }[]
  /** True if the user's variables are kept from it. */
  readonly clearEnv: boolean
  /** Media types of the bills of materials that it writes. */
  readonly sbomFormats: readonly string[]
  /** Execution environments that it takes part in; empty means all. */
  readonly execEnv: readonly string[]
  /** Set for a composite buildpack, which has no executables. */
  readonly order?: Order
  readonly targets: readonly Target[]
  readonly stacks: readonly Stack[]
  readonly metadata: Readonly<Record<string, unknown>>
}

const text = v.optional(v.string())
const licenses = v.optional(v.array(v.object({ type: text, uri: text })), () => [])
const about = v.object({
  id: v.string(),
  version: v.string(),
  name: text,
  homepage: text,
  description: text,
  keywords: optionalStrings,
  licenses,
  'clear-env': v.optional(v.boolean(), false),
  'sbom-formats': optionalStrings,
  'exec-env': execEnv,
})
const document = v.object({
  api: v.optional(v.string(), ''),
  buildpack: v.optional(about),
  extension: v.optional(about),
  order: v.optional(orderSchema),
  targets: v.optional(v.array(targetSchema), () => []),
  stacks: v.optional(v.array(v.object({ id: v.string(), mixins: optionalStrings })), () => []),
  metadata: v.optional(freeTable, () => ({})),
})

/**
 * Reads a buildpack.toml or extension.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`,
 * `BUILDPACK_API_UNSUPPORTED`, `BUILDPACK_ID_INVALID`, `BUILDPACK_VERSION_INVALID`).
 */
export function parseBuildpack(toml: string, file: string): BuildpackDescriptor {
  const { api, buildpack, extension, order, targets, stacks, metadata } = readDocument(document, toml, file)
  const described = buildpack ?? extension
  if (!described) throw documentInvalid(file, 'it has no table [buildpack]')
  const { id, version, name, homepage, description } = described
  return {
    kind: buildpack ? 'buildpack' : 'extension',
    api: parseBuildpackApi(api, `${file} (${id}@${version})`),
    id: parseBuildpackId(id, file),
    version: parseVersion(version, file),
    ...withoutUndefined({ name, homepage, description }),
    keywords: described.keywords,
    licenses: described.licenses.map(withoutUndefined),
    clearEnv: described['clear-env'],
    sbomFormats: described['sbom-formats'],
    execEnv: described['exec-env'],
    ...(order !== undefined && { order: orderFrom(order, file) }),
    targets,
    stacks,
    metadata,
  }
}

/** `id@version`, as logs name a buildpack. */
export function fullName({ id, version }: { readonly id: string; readonly version?: string }): string {
  return version === undefined ? id : `${id}@${version}`
}

/**
 * The targets of a buildpack that lists none, as the reference infers them: from an old stack, else from the kind of
 * executables that it has. An empty list matches every base.
 */
export function effectiveTargets(descriptor: BuildpackDescriptor, hasBinBuild: boolean): readonly Target[] {
  const { targets, stacks, api } = descriptor
  if (targets.length > 0) return targets
  if (stacks.some(({ id }) => id === '*')) return [{ distros: [] }]
  const bionic = stacks.some(({ id }) => id === 'io.buildpacks.stacks.bionic')
  if (bionic && (atLeast(api, '0.10') || stacks.length === 1)) {
    return [{ os: 'linux', arch: 'amd64', distros: [{ name: 'ubuntu', version: '18.04' }] }]
  }
  return hasBinBuild ? [{ os: 'linux', distros: [] }] : []
}

/** True if a module takes part in an execution environment: it names none, `*`, or that one. */
export function takesPart(environments: readonly string[], environment: string): boolean {
  return environments.length === 0 || environments.includes('*') || environments.includes(environment)
}

/** Files that tell an app of this buildpack (`[metadata.slipway] files`), for hints when detection fails. */
export function wantedFiles({ metadata }: BuildpackDescriptor): readonly string[] {
  const wanted = v.safeParse(v.object({ slipway: v.object({ files: v.array(v.string()) }) }), metadata)
  return wanted.success ? wanted.output.slipway.files : []
}
