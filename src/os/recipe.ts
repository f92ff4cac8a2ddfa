import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { check, parseToml } from '#std'

/** What one release of the distribution adds to a recipe. */
export interface RecipeRelease {
  /** The distribution's version, `13`. */
  readonly version: string
  /** Suites whose packages count, `trixie`, `trixie-updates`, `trixie-security`. */
  readonly suites: readonly string[]
  /** Packages besides those of the recipe. */
  readonly packages: readonly string[]
  readonly exclude: readonly string[]
}

/** An operating system as data: which packages, from which releases, and what of them is left out. */
export interface Recipe {
  /** `run:base`; its image is called `slipway/run:base`. */
  readonly name: string
  /** `tool` recipes are unpacked on the machine that builds, and never become images. */
  readonly role: 'run' | 'build' | 'tool'
  readonly summary: string
  readonly packages: readonly string[]
  /** Packages that are never installed, though others ask for them: they serve maintainer scripts only. */
  readonly exclude: readonly string[]
  /** Packages of which only the paths that start with one of these are taken. */
  readonly only: Readonly<Record<string, readonly string[]>>
  /** Paths that are left out; `*` stands for anything but a slash. What is below them goes too. */
  readonly drop: readonly string[]
  /** Leave out manuals, translations, and documentation other than copyright files. */
  readonly slim: boolean
  /** Write Java's truststore, /etc/ssl/certs/java/cacerts. */
  readonly truststore: boolean
  /** Which of the versions that the suites name is taken: the newest, or for bases to be patched later the oldest. */
  readonly choose: 'newest' | 'oldest'
  readonly releases: Readonly<Record<string, RecipeRelease>>
}

const NAME = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.+-]*$/, 'must be a package name'))
const SUITE = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be the name of a suite'))
const names = v.optional(v.array(NAME), [])
const release = v.strictObject({
  version: v.pipe(v.string(), v.regex(/^\d+(\.\d+)*$/, 'must be a version, such as "13"')),
  suites: v.pipe(v.array(SUITE), v.minLength(1, 'must name a suite')),
  packages: names,
  exclude: names,
})
const recipe = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z]+:[a-z0-9][a-z0-9-]*$/, 'must be of the form run:NAME')),
  role: v.picklist(['run', 'build', 'tool']),
  summary: v.string(),
  packages: v.pipe(v.array(NAME), v.minLength(1, 'must name a package')),
  exclude: names,
  only: v.optional(v.record(NAME, v.array(v.string())), {}),
  drop: v.optional(v.array(v.pipe(v.string(), v.regex(/^[^/]/, 'must be without a leading slash'))), []),
  slim: v.optional(v.boolean(), true),
  truststore: v.optional(v.boolean(), false),
  choose: v.optional(v.picklist(['newest', 'oldest']), 'newest'),
  releases: v.record(v.pipe(v.string(), v.regex(/^[a-z]+$/, 'must be a code name')), release),
})

/** Reads a recipe from TOML. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`) with file, line and column. */
export function parseRecipe(text: string, source: string): Recipe {
  return check(recipe, parseToml(text, source), source, text)
}

/** Reads the recipe in a file. */
export async function readRecipe(path: string): Promise<Recipe> {
  return parseRecipe(await readFile(path, 'utf8'), path)
}
