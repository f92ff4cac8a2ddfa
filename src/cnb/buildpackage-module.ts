import * as v from 'valibot'
import { withoutEmpty } from './document.ts'
import { type BuildpackId, parseBuildpackId, parseVersion } from './ids.ts'

/** A buildpack or extension as labels of builders and buildpackages name it. */
export interface ModuleInfo {
  readonly id: BuildpackId
  readonly version: string
  readonly name?: string
  readonly description?: string
  readonly homepage?: string
  readonly keywords?: readonly string[]
  readonly licenses?: readonly { readonly type?: string; readonly uri?: string }[]
  readonly clearEnv?: boolean
}

const text = v.nullish(v.string(), '')
/** Keys of licenses are capitals where pack writes them. */
const license = v.object({ type: text, uri: text, Type: text, URI: text })

/** One module in the JSON of a label. */
export const moduleInfoSchema = v.object({
  id: v.string(),
  version: v.string(),
  name: text,
  description: text,
  homepage: text,
  keywords: v.nullish(v.array(v.string()), []),
  licenses: v.nullish(v.array(license), []),
  'clear-env': v.nullish(v.boolean(), false),
})

/** Checks id and version of a parsed module. Throws a `Problem` (`BUILDPACK_ID_INVALID`, `BUILDPACK_VERSION_INVALID`). */
export function moduleInfoFrom(found: v.InferOutput<typeof moduleInfoSchema>, source: string): ModuleInfo {
  const { id, version, name, description, homepage, keywords } = found
  const licenses = found.licenses.map(({ type, uri, Type, URI }) =>
    withoutEmpty({ type: type || Type, uri: uri || URI }),
  )
  return {
    id: parseBuildpackId(id, source),
    version: parseVersion(version, source),
    ...withoutEmpty({ name, description, homepage, keywords, licenses }),
    ...(found['clear-env'] && { clearEnv: true }),
  }
}

/** The module as pack prints it in labels: keys in its order, those that hold nothing left out. */
export function moduleInfoTable(info: ModuleInfo): Record<string, unknown> {
  const { id, name, version, description, homepage, keywords, licenses, clearEnv } = info
  return withoutEmpty({
    id,
    name,
    version,
    description,
    homepage,
    keywords,
    licenses: licenses?.map(({ type, uri }) => ({ Type: type ?? '', URI: uri ?? '' })),
    'clear-env': clearEnv || undefined,
  })
}
