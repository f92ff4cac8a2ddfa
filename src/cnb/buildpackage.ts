import * as v from 'valibot'
import { check, parseJson } from '#std'
import type { Stack } from './buildpack.ts'
import { type ModuleInfo, moduleInfoFrom, moduleInfoSchema, moduleInfoTable } from './buildpackage-module.ts'
import { withoutEmpty } from './document.ts'
import { printGoJson } from './go-json.ts'

/** The label that makes an image a buildpackage: which of its modules is the main one (CNB distribution specification, "Buildpackage"). */
export const BUILDPACKAGE_LABEL = 'io.buildpacks.buildpackage.metadata'

/** What the label says. */
export interface Buildpackage extends ModuleInfo {
  readonly stacks: readonly Stack[]
}

const stack = v.object({ id: v.string(), mixins: v.nullish(v.array(v.string()), []) })
const label = v.object({ ...moduleInfoSchema.entries, stacks: v.nullish(v.array(stack), []) })

/** Reads `io.buildpacks.buildpackage.metadata`. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`, `BUILDPACK_ID_INVALID`, …). */
export function parseBuildpackage(json: string, source: string): Buildpackage {
  const found = check(label, parseJson(json, source), source)
  return { ...moduleInfoFrom(found, source), stacks: found.stacks }
}

/** Prints the label as pack does: an extension has `null` for its stacks. */
export function printBuildpackage(buildpackage: Buildpackage): string {
  const stacks = buildpackage.stacks.map(({ id, mixins }) => ({ id, ...withoutEmpty({ mixins }) }))
  return printGoJson({ ...moduleInfoTable(buildpackage), stacks: stacks.length > 0 ? stacks : null })
}
