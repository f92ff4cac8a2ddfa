import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { check, parseToml } from '#std'

/** A variable that the buildpack reads, as its `[[metadata.configurations]]` describes it. */
export interface ConfigurationVariable {
  readonly name: string
  readonly default?: string
  readonly description: string
  /** Read while building. */
  readonly build: boolean
  /** Read by what runs in the image. */
  readonly launch: boolean
}

/** What a buildpack's own buildpack.toml says of it. */
export interface BuildpackDescriptor {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly homepage?: string
  /** The directory that the buildpack was installed in. */
  readonly directory: string
  readonly configurations: readonly ConfigurationVariable[]
}

const schema = v.object({
  api: v.string(),
  buildpack: v.object({
    id: v.string(),
    version: v.string(),
    name: v.optional(v.string()),
    homepage: v.exactOptional(v.string()),
  }),
  metadata: v.optional(
    v.object({
      configurations: v.optional(
        v.array(
          v.object({
            name: v.string(),
            default: v.exactOptional(v.string()),
            description: v.string(),
            build: v.optional(v.boolean(), false),
            launch: v.optional(v.boolean(), false),
          }),
        ),
        [],
      ),
    }),
    {},
  ),
})

/** Reads `<directory>/buildpack.toml`. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`) for one that is not right. */
export async function readDescriptor(directory: string): Promise<BuildpackDescriptor> {
  const file = join(directory, 'buildpack.toml')
  const text = await readFile(file, 'utf8')
  const { buildpack, metadata } = check(schema, parseToml(text, file), file, text)
  const { id, version, name = id, homepage } = buildpack
  return {
    id,
    version,
    name,
    directory,
    configurations: metadata.configurations ?? [],
    ...(homepage !== undefined && { homepage }),
  }
}
