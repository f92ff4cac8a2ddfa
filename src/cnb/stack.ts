import * as v from 'valibot'
import { printToml } from '#std'
import { optionalStrings, readDocument } from './document.ts'
import type { RunImage } from './run.ts'

const document = v.object({
  'run-image': v.optional(v.object({ image: v.optional(v.string(), ''), mirrors: optionalStrings })),
})

/** Reads a stack.toml, which lifecycles before Platform API 0.12 read for a run.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseStack(toml: string, file: string): RunImage | undefined {
  const found = readDocument(document, toml, file)['run-image']
  return found && found.image !== '' ? found : undefined
}

/** Prints a stack.toml. */
export function printStack(runImage: RunImage | undefined): string {
  if (!runImage) return ''
  const { image, mirrors } = runImage
  return printToml({ 'run-image': { image, ...(mirrors.length > 0 && { mirrors }) } })
}
