import * as v from 'valibot'
import { freeTable, readDocument } from './document.ts'
import { documentInvalid } from './problems.ts'

/** A dependency that a buildpack asks for, with what it says about it. */
export interface Require {
  readonly name: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** One way in which a buildpack can take part: what it provides and requires. */
export interface BuildPlanOption {
  readonly provides: readonly string[]
  readonly requires: readonly Require[]
}

/** What bin/detect wrote: the main section first, then each `[[or]]`. */
export type BuildPlan = readonly [BuildPlanOption, ...BuildPlanOption[]]

const name = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const section = v.object({
  provides: v.optional(v.array(v.object({ name })), () => []),
  requires: v.optional(
    v.array(
      v.object({ name, version: v.optional(v.unknown()), metadata: v.optional(freeTable, () => ({})) }),
    ),
    () => [],
  ),
})
const document = v.object({ ...section.entries, or: v.optional(v.array(section), () => []) })

/**
 * Reads the plan that bin/detect wrote (CNB buildpack specification, "Build Plan"); empty text is a plan that neither
 * provides nor requires. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`), also for the old `requires.version`.
 */
export function parseBuildPlan(text: string, file: string): BuildPlan {
  const { or, ...main } = readDocument(document, text, file)
  return [optionFrom(main, file), ...or.map(each => optionFrom(each, file))]
}

function optionFrom({ provides, requires }: v.InferOutput<typeof section>, file: string): BuildPlanOption {
  const old = requires.find(({ version }) => version !== undefined)
  if (old) {
    throw documentInvalid(
      file,
      `requires ${JSON.stringify(old.name)} has a "version" of its own`,
      'The buildpack has to write it below "metadata": the top-level key was removed from the specification.',
    )
  }
  return {
    provides: provides.map(each => each.name),
    requires: requires.map(each => ({ name: each.name, metadata: each.metadata })),
  }
}
