import { parseName } from '#oci'
import { findImage, openStore } from '#platform'
import { command } from '../command.ts'

export const tag = command({
  summary: 'Give an image another name',
  arguments: {
    image: { help: 'name or digest of an image in the store' },
    name: { help: 'the further name, such as team/shop:1.2' },
  },
  options: {},
  examples: ['tag shop team/shop:1.2'],
  async run({ image, name }, { home, report, print }) {
    const store = openStore(home)
    const { digest } = await findImage(store, image)
    await store.tag(digest, name)
    report.line(`${parseName(name)} names the image too`)
    print(digest)
    return 0
  },
})
