import * as v from 'valibot'
import { optionalText, strictTable, strictTargetsSchema } from './builder-config-schema.ts'
import { targetFromToml } from './builder-target.ts'
import { readDocument } from './document.ts'
import { documentInvalid } from './problems.ts'
import type { Target } from './target.ts'

/** What a package.toml says (CNB, "package.toml"; as pack reads it). */
export interface PackageConfig {
  readonly kind: 'buildpack' | 'extension'
  /** Where the main buildpack or extension is. */
  readonly uri: string
  readonly dependencies: readonly { readonly uri?: string; readonly image?: string }[]
  /** The platforms of a composite buildpack; others name theirs in buildpack.toml. */
  readonly targets: readonly Target[]
}

const main = v.optional(strictTable({ uri: v.optional(v.string(), '') }))
const document = strictTable({
  buildpack: main,
  extension: main,
  dependencies: v.optional(v.array(strictTable({ uri: optionalText, image: optionalText })), () => []),
  platform: v.optional(strictTable({ os: optionalText })),
  targets: strictTargetsSchema,
})

/** Reads a package.toml. A key that is not known is an error, with its line. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parsePackageConfig(toml: string, file: string): PackageConfig {
  const { buildpack, extension, dependencies, platform, targets } = readDocument(document, toml, file)
  const uri = buildpack?.uri || extension?.uri
  if (!uri) {
    throw documentInvalid(
      file,
      'it does not say where the buildpack is',
      'Add uri = "." (or another place) below [buildpack].',
    )
  }
  if (platform?.os !== undefined && platform.os !== 'linux')
    throw documentInvalid(file, `[platform] os is ${JSON.stringify(platform.os)}`, 'Only linux is supported.')
  for (const [index, each] of dependencies.entries()) {
    if (!each.uri === !each.image) {
      const why = each.uri ? 'has both "uri" and "image"' : 'has neither "uri" nor "image"'
      throw documentInvalid(file, `[[dependencies]] number ${index + 1} ${why}`, 'Say where it is with one.')
    }
  }
  return {
    kind: buildpack?.uri ? 'buildpack' : 'extension',
    uri,
    dependencies: dependencies.map(({ uri: place, image }) => ({
      ...(place && { uri: place }),
      ...(image && { image }),
    })),
    targets: targets.map(targetFromToml),
  }
}
