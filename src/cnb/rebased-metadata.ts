import * as v from 'valibot'
import { check, parseJson } from '#std'
import { freeTable } from './document.ts'
import { printGoJson } from './go-json.ts'
import type { RunImageNames } from './lifecycle-metadata.ts'

/**
 * The lifecycle label with another run image in it, and everything else as it was: unknown keys, the type of `app`, the order of
 * keys. `names`, if given, replace image and mirrors, in `stack` too. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`).
 */
export function replaceRunImage(
  json: string,
  source: string,
  { topLayer, reference, names }: { topLayer: string; reference: string; names?: RunImageNames },
): string {
  const label = check(freeTable, parseJson(json, source), source)
  const runImage = check(
    v.nullish(freeTable, () => ({})),
    label.runImage,
    `${source} (runImage)`,
  )
  const { image: _image, mirrors: _mirrors, ...others } = runImage
  const kept = names ? { ...others, ...tableOf(names) } : runImage
  return printGoJson({
    ...label,
    runImage: { ...kept, topLayer, reference },
    ...(names && { stack: { runImage: tableOf(names) } }),
  })
}

function tableOf({ image, mirrors }: RunImageNames) {
  return { ...(image && { image }), ...(mirrors && mirrors.length > 0 && { mirrors }) }
}
