import * as v from 'valibot'
import { check, type TomlTable } from '#std'
import { execEnv, freeTable, optionalStrings, withoutUndefined } from './document.ts'
import type { KnownKeys } from './unknown-keys.ts'

const text = v.optional(v.string())
const script = v.object({ api: text, shell: text, inline: text })
const group = v.object({ id: text, version: text, uri: text, script: v.optional(script), 'exec-env': execEnv })
const groups = v.optional(v.array(group), () => [])
const variables = v.array(v.object({ name: v.string(), value: v.string(), 'exec-env': execEnv }))
const licenses = v.optional(v.array(v.object({ type: text, uri: text })), () => [])
const about = {
  id: text,
  name: text,
  version: text,
  authors: optionalStrings,
  'documentation-url': text,
  'source-url': text,
  licenses,
}
const aboutSchema = v.object(about)
const filter = { builder: text, include: v.optional(v.array(v.string())), exclude: v.optional(v.array(v.string())) }
const filterSchema = v.object(filter)
const metadata = v.optional(freeTable, () => ({}))
const list = v.optional(v.object({ group: groups }), () => ({ group: [] }))

const schema01 = v.object({
  project: v.optional(aboutSchema, () => v.parse(aboutSchema, {})),
  build: v.optional(
    v.object({ ...filter, buildpacks: groups, env: v.optional(variables, () => []) }),
    () => ({ buildpacks: [], env: [] }),
  ),
  metadata,
})
const buildpacks02 = v.object({
  ...filter,
  group: groups,
  pre: list,
  post: list,
  build: v.optional(v.object({ env: v.optional(variables) })),
  env: v.optional(v.object({ build: v.optional(variables) })),
})
const schema02 = v.object({
  _: v.object({ ...about, metadata }),
  io: v.optional(v.object({ buildpacks: v.optional(buildpacks02) })),
})

const SCRIPT: KnownKeys = { api: true, shell: true, inline: true }
const GROUP: KnownKeys = { id: true, version: true, uri: true, script: SCRIPT, 'exec-env': true }
const VARIABLE: KnownKeys = { name: true, value: true, 'exec-env': true }
const FILTER = { builder: true, include: true, exclude: true } as const
const ABOUT: KnownKeys = {
  id: true,
  name: true,
  version: true,
  authors: true,
  'documentation-url': true,
  'source-url': true,
  licenses: { type: true, uri: true },
}

/** Keys of schema version 0.1. */
export const PROJECT_01: KnownKeys = {
  _: { 'schema-version': true },
  project: ABOUT,
  build: { ...FILTER, buildpacks: GROUP, env: VARIABLE },
  metadata: true,
}

/** Keys of 0.2 and 0.3; other tables belong to other vendors, by their domain names, except for those of 0.1. */
export const PROJECT_02: KnownKeys = {
  _: { ...ABOUT, 'schema-version': true, metadata: true },
  io: {
    buildpacks: {
      ...FILTER,
      group: GROUP,
      pre: { group: GROUP },
      post: { group: GROUP },
      build: { env: VARIABLE },
      env: { build: VARIABLE },
    },
  },
}

/** A buildpack of a project.toml, before it is checked. */
export interface ParsedGroup {
  readonly id?: string
  readonly version?: string
  readonly uri?: string
  readonly script?: { readonly api?: string; readonly shell?: string; readonly inline?: string }
  readonly execEnv: readonly string[]
}

/** A project.toml of any version, before it is checked. */
export type ParsedProject = ReturnType<typeof read01>

/** Reads schema version 0.1. Throws a `Problem` (`DOCUMENT_INVALID`). */
export function read01(table: TomlTable, file: string, toml: string) {
  const { project, build, metadata: free } = check(schema01, table, file, toml)
  return {
    ...aboutFrom(project),
    ...filterFrom(build),
    metadata: free,
    group: build.buildpacks.map(groupFrom),
    pre: [] as ParsedGroup[],
    post: [] as ParsedGroup[],
    env: build.env.map(variableFrom),
  }
}

/** Reads schema versions 0.2 and 0.3. Throws a `Problem` (`DOCUMENT_INVALID`). */
export function read02(table: TomlTable, file: string, toml: string): ParsedProject {
  const { _: project, io } = check(schema02, table, file, toml)
  const buildpacks = io?.buildpacks
  return {
    ...aboutFrom(project),
    ...filterFrom(buildpacks ?? {}),
    metadata: project.metadata,
    group: (buildpacks?.group ?? []).map(groupFrom),
    pre: (buildpacks?.pre.group ?? []).map(groupFrom),
    post: (buildpacks?.post.group ?? []).map(groupFrom),
    // The old spelling counts only where the new one is absent.
    env: (buildpacks?.build?.env ?? buildpacks?.env?.build ?? []).map(variableFrom),
  }
}

function aboutFrom(project: v.InferOutput<typeof aboutSchema>) {
  return {
    ...withoutUndefined({
      id: project.id,
      name: project.name,
      version: project.version,
      documentationUrl: project['documentation-url'],
      sourceUrl: project['source-url'],
    }),
    authors: project.authors,
    licenses: project.licenses.map(withoutUndefined),
  } as {
    id?: string
    name?: string
    version?: string
    documentationUrl?: string
    sourceUrl?: string
    authors: string[]
    licenses: { type?: string; uri?: string }[]
  }
}

function filterFrom({ builder, include, exclude }: Partial<v.InferOutput<typeof filterSchema>>) {
  return withoutUndefined({ builder, include, exclude }) as { builder?: string; include?: string[]; exclude?: string[] }
}

function groupFrom({ id, version, uri, script: inline, 'exec-env': environments }: v.InferOutput<typeof group>): ParsedGroup {
  return {
    ...withoutUndefined({ id, version, uri, script: inline && withoutUndefined(inline) }),
    execEnv: environments,
  } as ParsedGroup
}

function variableFrom({ name, value, 'exec-env': environments }: v.InferOutput<typeof variables>[number]) {
  return { name, value, execEnv: environments }
}
