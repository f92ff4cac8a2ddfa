import { inspectImage, openStore } from '#platform'
import { printJson } from '#std'
import { command } from '../command.ts'
import { inspectDocument } from '../inspect-document.ts'
import { inspectText } from '../inspect-text.ts'

export const inspect = command({
  summary: 'Show what an image is made of',
  arguments: { image: { help: 'name or digest of an image in the store' } },
  options: { json: { help: "print one JSON document, with the keys of pack's" } },
  examples: ['inspect shop', 'inspect shop --json'],
  async run({ image, json }, { home, print }) {
    const found = await inspectImage(openStore(home), image)
    print(json ? printJson(inspectDocument(found)).trimEnd() : inspectText(found))
    return 0
  },
})
