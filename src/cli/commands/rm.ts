import { parseName } from '#oci'
import { openMachineRegistries, openStore, registryName, removeFromRegistries, removeImages } from '#platform'
import { command } from '../command.ts'

export const rm = command({
  summary: 'Remove names of images from the store, or images from a registry',
  arguments: { images: { help: 'names of images, or docker://REFERENCE', rest: true } },
  options: { force: { help: 'names that are not there are no mistake', short: 'f' } },
  examples: ['rm shop', 'rm shop:1 shop:2', 'rm docker://registry.example/team/shop:1', 'gc'],
  async run({ images, force }, surroundings) {
    const { home, report, print } = surroundings
    const remote = images.flatMap(name => registryName(name) ?? [])
    const local = images.filter(name => registryName(name) === undefined).map(parseName)
    if (local.length > 0 || remote.length === 0) {
      const removed = await removeImages(openStore(home), local, force)
      for (const name of removed) print(name)
      if (removed.length > 0) report.line('Contents that no image needs any more go with `slipway gc`.')
    }
    if (remote.length > 0) {
      await using registries = openMachineRegistries(surroundings)
      for (const name of await removeFromRegistries(registries, remote, force)) print(name)
    }
    return 0
  },
})
