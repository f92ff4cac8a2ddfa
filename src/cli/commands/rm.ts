import { parseName } from '#oci'
import { openStore, removeImages } from '#platform'
import { command } from '../command.ts'

export const rm = command({
  summary: 'Remove names of images from the store',
  arguments: { images: { help: 'names of images', rest: true } },
  options: { force: { help: 'names that are not there are no mistake', short: 'f' } },
  examples: ['rm shop', 'rm shop:1 shop:2', 'gc'],
  async run({ images, force }, { home, report, print }) {
    const removed = await removeImages(openStore(home), images.map(parseName), force)
    for (const name of removed) print(name)
    if (removed.length > 0) report.line('Contents that no image needs any more go with `slipway gc`.')
    return 0
  },
})
