import * as v from 'valibot'
import { printToml } from '#std'
import { freeTable, readDocument, withoutUndefined } from './document.ts'
import { goMap, printGoJson } from './go-json.ts'

/** Where the app's source came from (project-metadata.toml). */
export interface ProjectMetadata {
  readonly source?: {
    readonly type?: string
    readonly version?: Readonly<Record<string, unknown>>
    readonly metadata?: Readonly<Record<string, unknown>>
  }
}

const source = v.object({
  type: v.optional(v.string()),
  version: v.optional(freeTable),
  metadata: v.optional(freeTable),
})
const document = v.object({ source: v.optional(source) })

/** Reads a project-metadata.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseProjectMetadata(text: string, file: string): ProjectMetadata {
  const parsed = readDocument(document, text, file).source
  return parsed ? { source: withoutUndefined(parsed) } : {}
}

/** Prints a project-metadata.toml. */
export function printProjectMetadata({ source: from }: ProjectMetadata): string {
  return from ? printToml({ source: from }) : ''
}

/** Prints `io.buildpacks.project.metadata`; `{}` where nothing is known. */
export function printProjectLabel({ source: from }: ProjectMetadata): string {
  if (!from) return '{}'
  const { type, version, metadata } = from
  return printGoJson({
    source: {
      ...(type && { type }),
      ...(hasKeys(version) && { version: goMap(version) }),
      ...(hasKeys(metadata) && { metadata: goMap(metadata) }),
    },
  })
}

function hasKeys(table: Readonly<Record<string, unknown>> | undefined): boolean {
  return table !== undefined && Object.keys(table).length > 0
}
