import {
  listImages,
  listRegistry,
  openMachineRegistries,
  openStore,
  registryName,
  shortDigest,
} from '#platform'
import { printable, printJson } from '#std'
import { command, type Surroundings } from '../command.ts'
import { table } from '../table.ts'
import { bytesText } from '../terminal.ts'

export const images = command({
  summary: 'List the images in the store, or what is in a registry',
  arguments: {
    place: {
      help: 'docker://HOST for its repositories, docker://HOST/REPOSITORY for its tags',
      optional: true,
    },
  },
  options: { json: { help: 'print one JSON document' } },
  examples: ['images', 'images --json', 'images docker://registry.example/team/shop'],
  async run({ json, place }, surroundings) {
    const { home, print } = surroundings
    if (place !== undefined) return await listElsewhere(place, json, surroundings)
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

async function listElsewhere(place: string, json: boolean, surroundings: Surroundings): Promise<number> {
  await using registries = openMachineRegistries(surroundings)
  const found: string[] = []
  for await (const name of listRegistry(registries, registryName(place) ?? place)) {
    if (json) found.push(name)
    else surroundings.print(printable(name))
  }
  if (json) surroundings.print(printJson(found).trimEnd())
  return 0
}
