import { join } from 'node:path'
import * as v from 'valibot'
import { check, parseJson, readIfExists } from '#std'

const strings = v.exactOptional(v.record(v.string(), v.string()), {})
/** What is not of the kind that npm expects is as good as absent: npm itself is the judge of it. */
const lenient = <Schema extends v.GenericSchema>(schema: Schema) => v.fallback(v.optional(schema), undefined)

const schema = v.object({
  name: lenient(v.string()),
  version: lenient(v.string()),
  main: lenient(v.string()),
  packageManager: lenient(v.string()),
  engines: v.fallback(strings, {}),
  scripts: v.fallback(strings, {}),
  dependencies: v.fallback(strings, {}),
  devDependencies: v.fallback(strings, {}),
  optionalDependencies: v.fallback(strings, {}),
  workspaces: lenient(v.union([v.array(v.string()), v.object({ packages: v.array(v.string()) })])),
})

/** What a package.json says, as far as buildpacks read it; fields of the wrong kind are left out, as npm does. */
export type NodePackage = v.InferOutput<typeof schema>

/**
 * Reads `<directory>/package.json`; `undefined` where there is none. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`) for one that is no
 * JSON object.
 */
export async function readNodePackage(directory: string): Promise<NodePackage | undefined> {
  const file = join(directory, 'package.json')
  const text = await readIfExists(file)
  if (text === undefined) return undefined
  const bare = text.replace(/^\uFEFF/, '')
  return check(schema, parseJson(bare, file), file, bare)
}

/** True for a package that wants others installed, be it to run or to be built. */
export function wantsPackages({
  dependencies,
  devDependencies,
  optionalDependencies,
  workspaces,
}: NodePackage): boolean {
  const wanted = [dependencies, devDependencies, optionalDependencies]
  return workspaces !== undefined || wanted.some(each => Object.keys(each).length > 0)
}
