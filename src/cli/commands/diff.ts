import { parsePlace } from '#oci'
import { DIFF_PARTS, type DiffPart, diffPlaces } from '#platform'
import { printJson } from '#std'
import { command } from '../command.ts'
import { diffDocument, diffText } from '../diff-text.ts'
import { oneOf } from '../one-of.ts'

const PLACE = 'docker://NAME, oci:DIR[:TAG], docker-archive:FILE[:NAME], or a name or digest in the store'

export const diff = command({
  summary: 'Say in what two images differ: layers, files, packages, settings, labels',
  arguments: {
    before: { help: `the one image: ${PLACE}` },
    after: { help: 'the other, likewise' },
  },
  options: {
    only: { value: 'PART', multiple: true, help: `compare this alone: ${DIFF_PARTS.join(', ')}` },
    all: { help: 'list every path that differs, not the first 40 alone' },
    arch: {
      value: 'ARCH',
      help: "architecture to take of an image for several: amd64 or arm64 (default: this machine's)",
    },
    'insecure-registry': {
      value: 'HOST',
      multiple: true,
      help: 'registry that may be spoken to without TLS',
    },
    'exit-code': { help: 'end with 1 if they differ' },
    json: { help: 'print one JSON document' },
  },
  examples: ['diff shop:1.0 shop:1.1', 'diff shop docker://registry.example/shop --only files --all'],
  async run(input, { report, home, environment, signal, workingDirectory, print }) {
    const named = (text: string) => ({ text, place: parsePlace(text, workingDirectory) })
    const chosen = input.only.map(text => oneOf('only', text, DIFF_PARTS))
    const parts: ReadonlySet<DiffPart> = new Set(chosen.length > 0 ? chosen : DIFF_PARTS)
    const found = await diffPlaces({
      before: named(input.before),
      after: named(input.after),
      parts,
      architecture: input.arch,
      insecure: input['insecure-registry'],
      home,
      environment,
      report,
      signal,
    })
    print(
      input.json
        ? printJson(diffDocument(found)).trimEnd()
        : diffText(found, [input.before, input.after], input.all),
    )
    const same = DIFF_PARTS.every(part =>
      found[part].every(each => 'change' in each && each.change === 'same'),
    )
    return input['exit-code'] && !same ? 1 : 0
  },
})
