import * as v from 'valibot'
import { type Report, silent } from '#std'
import { execEnv, freeTable, readDocument, withoutUndefined } from './document.ts'
import { projectInvalid } from './problems.ts'
import { CURRENT_KEYS, FIRST_KEYS } from './project-keys.ts'
import { unknownKeys } from './unknown-keys.ts'

/** A buildpack that a project names: by id, by place, or as a script in the descriptor itself. */
export interface ProjectBuildpack {
  readonly id?: string
  readonly version?: string
  readonly uri?: string
  readonly script?: { readonly api: string; readonly shell: string; readonly inline: string }
  readonly execEnv: readonly string[]
}

/** A variable that a project sets for its builds. */
export interface ProjectVariable {
  readonly name: string
  readonly value: string
  readonly execEnv: readonly string[]
}

/** What a project.toml says (CNB project descriptor specification 0.1 and 0.2; 0.3 as pack reads it). */
export interface Project {
  readonly version?: string
  readonly sourceUrl?: string
  readonly builder?: string
  /** gitignore patterns; at most one of the two is there. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly buildpacks: readonly ProjectBuildpack[]
  readonly pre: readonly ProjectBuildpack[]
  readonly post: readonly ProjectBuildpack[]
  readonly variables: readonly ProjectVariable[]
}

/** A project about which nothing is said. */
export const NO_PROJECT: Project = { buildpacks: [], pre: [], post: [], variables: [] }

const text = v.optional(v.string())
const script = v.object({ api: v.string(), shell: v.optional(v.string(), '/bin/sh'), inline: v.string() })
const buildpack = v.object({
  id: text,
  version: text,
  uri: text,
  script: v.optional(script),
  'exec-env': execEnv,
})
const buildpacks = v.optional(v.array(buildpack), () => [])
const around = v.optional(v.object({ group: buildpacks }), () => ({ group: [] }))
const variables = v.optional(
  v.array(v.object({ name: v.string(), value: v.string(), 'exec-env': execEnv })),
  () => [],
)
const license = v.pipe(
  v.object({ type: text, uri: text }),
  v.check(({ type, uri }) => Boolean(type || uri), 'a license needs type or uri'),
)
const licenses = v.optional(v.array(license), () => [])
const about = v.looseObject({ version: text, 'source-url': text, licenses })
const patterns = {
  include: v.optional(v.array(v.string())),
  exclude: v.optional(v.array(v.string())),
  builder: text,
}

const current = v.looseObject({
  _: v.optional(
    v.looseObject({ ...about.entries, 'schema-version': text, metadata: v.optional(freeTable) }),
    () => ({
      licenses: [],
    }),
  ),
  io: v.optional(
    v.looseObject({
      buildpacks: v.optional(
        v.looseObject({
          ...patterns,
          group: buildpacks,
          pre: around,
          post: around,
          build: v.optional(v.object({ env: variables })),
          env: v.optional(v.object({ build: variables })),
        }),
      ),
    }),
    () => ({}),
  ),
})
const first = v.looseObject({
  project: v.optional(about, () => ({ licenses: [] })),
  build: v.optional(v.looseObject({ ...patterns, buildpacks, env: variables })),
  metadata: v.optional(freeTable),
})

const VERSIONS = ['0.1', '0.2', '0.3']
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.-]*$/

/**
 * Reads a project.toml. A file without `[_] schema-version` is read as 0.1, with a warning; unknown keys get one too; in later
 * versions tables of other vendors may stand beside `[_]` and `[io.buildpacks]`.
 * Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, `PROJECT_INVALID`).
 */
export function parseProject(toml: string, file: string, report: Report = silent): Project {
  const probe = readDocument(
    v.looseObject({ _: v.optional(v.looseObject({ 'schema-version': text })) }),
    toml,
    file,
  )
  const version = probe._?.['schema-version']
  if (version === undefined)
    report.warn(`${file} names no schema-version under [_]; it is read as version 0.1`)
  else if (!VERSIONS.includes(version)) {
    throw projectInvalid(
      file,
      `its schema-version is ${JSON.stringify(version)}`,
      `Use ${VERSIONS.join(', ')}.`,
    )
  }
  const old = version === undefined || version === '0.1'
  for (const key of unknownKeys(probe, old ? FIRST_KEYS : CURRENT_KEYS)) {
    report.warn(`${file}: [${key}] means nothing here`)
  }
  return checked(
    old ? firstProject(readDocument(first, toml, file)) : currentProject(readDocument(current, toml, file)),
    file,
  )
}

function currentProject({ _, io }: v.InferOutput<typeof current>): Project {
  const said = io.buildpacks
  return {
    ...withoutUndefined({ version: _.version, sourceUrl: _['source-url'] }),
    ...withoutUndefined({ builder: said?.builder, include: said?.include, exclude: said?.exclude }),
    buildpacks: (said?.group ?? []).map(buildpackFrom),
    pre: (said?.pre.group ?? []).map(buildpackFrom),
    post: (said?.post.group ?? []).map(buildpackFrom),
    variables: (said?.build?.env ?? said?.env?.build ?? []).map(variableFrom),
  }
}

function firstProject({ project, build }: v.InferOutput<typeof first>): Project {
  return {
    ...withoutUndefined({ version: project.version, sourceUrl: project['source-url'] }),
    ...withoutUndefined({ builder: build?.builder, include: build?.include, exclude: build?.exclude }),
    buildpacks: (build?.buildpacks ?? []).map(buildpackFrom),
    pre: [],
    post: [],
    variables: (build?.env ?? []).map(variableFrom),
  }
}

function buildpackFrom({
  id,
  version,
  uri,
  script: own,
  'exec-env': environments,
}: v.InferOutput<typeof buildpack>) {
  return { ...withoutUndefined({ id, version, uri, script: own }), execEnv: environments } as ProjectBuildpack
}

function variableFrom({
  name,
  value,
  'exec-env': environments,
}: {
  name: string
  value: string
  'exec-env': string[]
}) {
  return { name, value, execEnv: environments }
}

function checked(project: Project, file: string): Project {
  const wrong = project.variables.find(({ name }) => !VARIABLE.test(name))
  if (wrong) {
    throw projectInvalid(
      file,
      `${JSON.stringify(wrong.name)} is no name for a variable`,
      'Names have letters, digits, "_", "." and "-", and begin with a letter or "_".',
    )
  }
  if (project.include && project.exclude) {
    throw projectInvalid(file, 'it has both "include" and "exclude"', 'Keep one of them.')
  }
  for (const each of [...project.buildpacks, ...project.pre, ...project.post]) {
    if (each.script && each.id === undefined) {
      throw projectInvalid(file, 'a buildpack with a script has no id', 'Add id = "…" to it.')
    }
    if (each.id === undefined && each.uri === undefined) {
      throw projectInvalid(file, 'a buildpack has neither id nor uri', 'Add one of them.')
    }
    if (each.uri !== undefined && each.version !== undefined) {
      throw projectInvalid(
        file,
        `the buildpack at ${each.uri} has a version too`,
        'Remove "version", or name it by id.',
      )
    }
  }
  return project
}
