import { copyImage, parsePlace } from '#oci'
import { openStore } from '#platform'
import { command } from '../command.ts'

/** Node's word for an architecture, where OCI has another. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

export const copy = command({
  summary: 'Copy an image between the store, oci:DIR and docker-archive:FILE',
  arguments: {
    from: { help: 'NAME in the store, oci:DIR[:TAG] or docker-archive:FILE[:NAME]' },
    to: { help: 'the same' },
  },
  options: {
    arch: { help: 'which image of several platforms (default: that of this machine)', value: 'ARCH' },
  },
  examples: [
    'copy shop docker-archive:shop.tar',
    'copy shop oci:layout:1.2',
    'copy docker-archive:shop.tar team/shop:1.2',
  ],
  async run({ from, to, arch }, { home, workingDirectory, report, print }) {
    const architecture = arch ?? ARCHITECTURES[process.arch] ?? process.arch
    const places = [parsePlace(from, workingDirectory), parsePlace(to, workingDirectory)] as const
    const { digest } = await copyImage(openStore(home), ...places, { architecture, report })
    print(digest)
    return 0
  },
})
