import { listImages, openStore, shortDigest } from '#platform'
import { printJson } from '#std'
import { command } from '../command.ts'
import { table } from '../table.ts'
import { bytesText } from '../terminal.ts'

export const images = command({
  summary: 'List the images in the store',
  arguments: {},
  options: { json: { help: 'print one JSON document' } },
  examples: ['images', 'images --json'],
  async run({ json }, { home, print }) {
    const found = await listImages(openStore(home))
    if (json) {
      print(printJson(found).trimEnd())
      return 0
    }
    const rows = found.map(({ name, digest, size, created, base, damage }) => [
      name,
      shortDigest(digest),
      size === undefined ? 'damaged' : bytesText(size),
      created?.slice(0, 16).replace('T', ' ') ?? '-',
      damage ?? base ?? '-',
    ])
    print(table([['NAME', 'DIGEST', 'SIZE', 'CREATED', 'BASE'], ...rows]))
    return 0
  },
})
