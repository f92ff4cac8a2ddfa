import { parsePlace } from '#oci'
import { explainImage } from '#platform'
import { printJson } from '#std'
import { command } from '../command.ts'
import { explainDocument, explainText } from '../explain-text.ts'

export const explain = command({
  summary: 'Say why buildpacks were chosen, and why each layer was made again or reused',
  arguments: { image: { help: 'name or digest in the store, docker://NAME, oci:DIR[:TAG]' } },
  options: {
    against: { value: 'IMAGE', help: 'hold it against this image (default: the one that it replaced)' },
    all: { help: 'list every path that differs, not the first 10 of a layer alone' },
    'insecure-registry': {
      value: 'HOST',
      multiple: true,
      help: 'registry that may be spoken to without TLS',
    },
    json: { help: 'print one JSON document' },
  },
  examples: [
    'explain shop',
    'explain docker://registry.example/shop:1.1 --against docker://registry.example/shop:1.0',
  ],
  async run(input, { report, home, environment, workingDirectory, signal, print }) {
    const { image, against, all, json } = input
    const found = await explainImage({
      text: image,
      place: parsePlace(image, workingDirectory),
      against: against === undefined ? undefined : parsePlace(against, workingDirectory),
      insecure: input['insecure-registry'],
      home,
      environment,
      report,
      signal,
    })
    print(json ? printJson(explainDocument(found)).trimEnd() : explainText(found, all))
    return 0
  },
})
