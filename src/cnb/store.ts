import * as v from 'valibot'
import { printToml } from '#std'
import { freeTable, readDocument } from './document.ts'

/** What a buildpack keeps from build to build, apart from its layers (store.toml). */
export interface Store {
  readonly metadata: Readonly<Record<string, unknown>>
}

const document = v.object({ metadata: v.optional(freeTable, () => ({})) })

/** Reads a store.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseStore(text: string, file: string): Store {
  return readDocument(document, text, file)
}

/** Prints a store.toml. */
export function printStore({ metadata }: Store): string {
  return printToml({ metadata })
}
