import { copyImage, parsePlace } from '#oci'
import { openImageWays, openStore } from '#platform'
import { command } from '../command.ts'

/** Node's word for an architecture, where OCI has another. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

export const copy = command({
  summary: 'Copy an image between the store, registries, daemons and files',
  arguments: {
    from: {
      help: 'NAME in the store, docker://REFERENCE in a registry, docker-daemon:NAME, oci:DIR[:TAG] or docker-archive:FILE[:NAME]',
    },
    to: { help: 'the same' },
  },
  options: {
    arch: { help: 'which image of several platforms (default: that of this machine)', value: 'ARCH' },
    'insecure-registry': {
      help: 'registry that may be spoken to without TLS or with an unknown certificate',
      value: 'HOST',
      multiple: true,
    },
  },
  examples: [
    'copy shop docker://registry.example/team/shop:1.2',
    'copy docker://debian:trixie-slim debian',
    'copy shop docker-daemon:shop',
    'copy shop oci:layout:1.2',
    'copy docker-archive:shop.tar team/shop:1.2',
  ],
  async run(input, { home, workingDirectory, environment, report, signal, print }) {
    const architecture = input.arch ?? ARCHITECTURES[process.arch] ?? process.arch
    const places = [parsePlace(input.from, workingDirectory), parsePlace(input.to, workingDirectory)] as const
    const insecure = input['insecure-registry']
    const platform = { os: 'linux', architecture }
    await using ways = openImageWays({ home, environment, report, signal, insecure, platform })
    const { registries, daemon } = ways
    const { digest } = await copyImage(openStore(home), ...places, {
      architecture,
      report,
      registries,
      daemon,
    })
    print(digest)
    return 0
  },
})
