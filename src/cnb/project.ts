import * as v from 'valibot'
import { parseToml } from '#std'
import { projectInvalid } from './problems.ts'
import { PROJECT_01, PROJECT_02, type ParsedGroup, type ParsedProject, read01, read02 } from './project-schemas.ts'
import { unknownKeys } from './unknown-keys.ts'

/** A script in project.toml that acts as a buildpack. */
export interface ProjectScript {
  readonly api: string
  readonly shell: string
  readonly inline: string
}

/** A buildpack that project.toml asks for: by id, by where it is (`from=builder` stands for the builder's order), or written inline. */
export interface ProjectBuildpack {
  readonly id?: string
  readonly version?: string
  readonly uri?: string
  readonly script?: ProjectScript
  /** Execution environments that it takes part in; empty means all. */
  readonly execEnv: readonly string[]
}

/** A variable for the build. */
export interface ProjectVariable {
  readonly name: string
  readonly value: string
  readonly execEnv: readonly string[]
}

/** What a project.toml says (CNB project descriptor 0.1, 0.2, and pack's 0.3). */
export interface Project {
  readonly schemaVersion: '0.1' | '0.2' | '0.3'
  readonly id?: string
  readonly name?: string
  readonly version?: string
  readonly authors: readonly string[]
  readonly documentationUrl?: string
  readonly sourceUrl?: string
  readonly licenses: readonly { readonly type?: string; readonly uri?: string }[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly builder?: string
  /** Patterns of .gitignore; only one of the two is ever set. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Buildpacks in place of the builder's order; empty means that order. */
  readonly group: readonly ProjectBuildpack[]
  readonly pre: readonly ProjectBuildpack[]
  readonly post: readonly ProjectBuildpack[]
  readonly env: readonly ProjectVariable[]
  /** Oddities that its author should hear of. */
  readonly warnings: readonly string[]
}

const versions = v.object({ _: v.optional(v.object({ 'schema-version': v.optional(v.string()) })) })
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.-]*$/
const DEFAULT_SHELL = '/bin/sh'

/** Reads a project.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, `PROJECT_INVALID`). */
export function parseProject(text: string, file: string): Project {
  const table = parseToml(text, file)
  const declared = v.safeParse(versions, table)
  const version = (declared.success && declared.output._?.['schema-version']) || undefined
  if (version !== undefined && !['0.1', '0.2', '0.3'].includes(version)) {
    throw projectInvalid(file, `it has schema-version ${JSON.stringify(version)}`, 'Use schema-version "0.2" under [_].')
  }
  const schemaVersion = (version ?? '0.1') as Project['schemaVersion']
  const old = schemaVersion === '0.1'
  const parsed = old ? read01(table, file, text) : read02(table, file, text)
  const unknown = unknownKeys(table, old ? PROJECT_01 : PROJECT_02)
  const warnings = [
    ...(version === undefined ? [`${file} has no schema-version under [_]; it is read as version 0.1.`] : []),
    ...unknown.map(key => `${file}: ${key} is not known in schema-version ${schemaVersion}; it is ignored.`),
  ]
  return { schemaVersion, ...checkedProject(parsed, file), warnings }
}

function checkedProject(parsed: ParsedProject, file: string) {
  const { include, exclude, group, pre, post, env, licenses } = parsed
  if (include && exclude) {
    throw projectInvalid(file, 'it has both include and exclude', 'Keep one of them.')
  }
  if (licenses.some(({ type, uri }) => !type && !uri)) {
    throw projectInvalid(file, 'a license has neither type nor uri', 'Add one of them, or remove the license.')
  }
  const wrong = env.find(({ name }) => !VARIABLE.test(name))
  if (wrong) {
    throw projectInvalid(
      file,
      `${JSON.stringify(wrong.name)} is no name for a variable`,
      'Names have letters, digits, "_", "." and "-", and begin with a letter or "_".',
    )
  }
  const buildpacks = (list: readonly ParsedGroup[]) => list.map(each => buildpackFrom(each, file))
  return { ...parsed, group: buildpacks(group), pre: buildpacks(pre), post: buildpacks(post) }
}

function buildpackFrom(each: ParsedGroup, file: string): ProjectBuildpack {
  const { id, version, uri, script } = each
  const name = id ?? uri ?? 'a buildpack'
  if (!id && !uri) {
    throw projectInvalid(file, 'a buildpack has neither id nor uri', 'Add one of them.')
  }
  if (uri && version) {
    throw projectInvalid(file, `${name} has both uri and version`, 'Remove version: what is at the uri has its own.')
  }
  if (!script) return each as ProjectBuildpack
  if (!id || !script.api || !script.inline) {
    throw projectInvalid(file, `the script of ${name} lacks id, api or inline`, 'Add what is missing.')
  }
  return {
    ...each,
    version: version ?? '0.0.0',
    script: { api: script.api, shell: script.shell || DEFAULT_SHELL, inline: script.inline },
  } as ProjectBuildpack
}
