import * as v from 'valibot'
import { printToml } from '#std'
import { compareApis } from './api-version.ts'
import { optionalStrings, readDocument } from './document.ts'
import { documentInvalid } from './problems.ts'

/** Versions of one API that a lifecycle speaks, as it writes them. */
export interface ApiSet {
  readonly supported: readonly string[]
  readonly deprecated: readonly string[]
}

/** What a lifecycle says of itself in lifecycle.toml, and a builder in its metadata label. */
export interface LifecycleDescriptor {
  readonly version: string
  readonly apis: { readonly buildpack: ApiSet; readonly platform: ApiSet }
}

const set = v.optional(v.object({ supported: optionalStrings, deprecated: optionalStrings }), () => ({
  supported: [],
  deprecated: [],
}))
const document = v.object({
  lifecycle: v.object({ version: v.string() }),
  apis: v.optional(v.object({ buildpack: set, platform: set }), () => ({ buildpack: NONE, platform: NONE })),
  api: v.optional(
    v.object({ buildpack: v.optional(v.string()), platform: v.optional(v.string()) }),
    () => ({}),
  ),
})
const NONE = { supported: [] as string[], deprecated: [] as string[] }

/** Reads a lifecycle.toml; one from before there were lists names one version of each API. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseLifecycleDescriptor(toml: string, file: string): LifecycleDescriptor {
  const { lifecycle, apis, api } = readDocument(document, toml, file)
  const complete = {
    buildpack: orOne(apis.buildpack, api.buildpack),
    platform: orOne(apis.platform, api.platform),
  }
  for (const [name, { supported }] of Object.entries(complete)) {
    if (supported.length === 0) throw documentInvalid(file, `it names no supported ${name} API`)
  }
  return { version: lifecycle.version, apis: complete }
}

/** Prints a lifecycle.toml, with the oldest version of each API for readers from before there were lists. */
export function printLifecycleDescriptor({ version, apis }: LifecycleDescriptor): string {
  return printToml({
    apis: { buildpack: { ...apis.buildpack }, platform: { ...apis.platform } },
    api: oldestApis(apis),
    lifecycle: { version },
  })
}

/** The oldest version of each API, as `api` in lifecycle.toml and in the label of a builder. */
export function oldestApis({ buildpack, platform }: LifecycleDescriptor['apis']): {
  buildpack: string
  platform: string
} {
  return { buildpack: oldest(buildpack), platform: oldest(platform) }
}

function oldest({ supported, deprecated }: ApiSet): string {
  return [...deprecated, ...supported].toSorted(compareApis)[0] ?? ''
}

function orOne(found: ApiSet, one: string | undefined): ApiSet {
  return found.supported.length > 0 || one === undefined ? found : { supported: [one], deprecated: [] }
}
