import { findAnywhere, inspectImage, openImageWays, openStore } from '#platform'
import { printJson } from '#std'
import { command } from '../command.ts'
import { inspectDocument } from '../inspect-document.ts'
import { inspectText } from '../inspect-text.ts'

export const inspect = command({
  summary: 'Show what an image is made of',
  arguments: {
    image: {
      help: 'name or digest of an image in the store, name in a registry, docker://REFERENCE, oci:DIR or docker-daemon:NAME',
    },
  },
  options: {
    json: { help: "print one JSON document, with the keys of pack's" },
    local: { help: 'ask no registry' },
    remote: { help: 'only in its registry' },
    'insecure-registry': {
      help: 'registry that may be spoken to without TLS or with an unknown certificate',
      value: 'HOST',
      multiple: true,
    },
  },
  examples: ['inspect shop', 'inspect shop --json', 'inspect registry.example/team/shop:1.2'],
  async run(input, { home, environment, workingDirectory, report, signal, print }) {
    const { image, json } = input
    const store = openStore(home)
    const insecure = input['insecure-registry']
    await using ways = openImageWays({ home, environment, report, signal, insecure })
    const where = input.remote ? 'remote' : input.local ? 'local' : 'anywhere'
    const found = await findAnywhere(image, where, { store, ways, workingDirectory })
    const local = found.local && inspectImage(found.local, image)
    const remote = found.remote && inspectImage(found.remote, image)
    if (json) print(printJson(inspectDocument(image, { local, remote })).trimEnd())
    else if (local && remote) print(`REMOTE:\n\n${inspectText(remote)}\n\nLOCAL:\n\n${inspectText(local)}`)
    else for (const each of [local, remote]) if (each) print(inspectText(each))
    return 0
  },
})
