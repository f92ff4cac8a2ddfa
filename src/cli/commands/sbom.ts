import { resolve } from 'node:path'
import type { StoredImage } from '#oci'
import { describeImage, downloadSbom, findAnywhere, openImageWays, openStore, printBill } from '#platform'
import { Problem } from '#std'
import { command, type Surroundings } from '../command.ts'

const image = {
  help: 'name or digest of an image in the store, docker://REFERENCE, oci:DIR or docker-daemon:NAME',
}
const remote = { help: 'the image in its registry, whatever the store has' }
const insecureRegistry = {
  help: 'registry that may be spoken to without TLS or with an unknown certificate',
  value: 'HOST',
  multiple: true,
} as const
const layer = {
  help: 'only this part: base, launcher, a buildpack (acme/node) or a layer of one (acme/node:runtime)',
  value: 'PART',
}

export const download = command({
  summary: 'Write the bill of materials of an image to files',
  arguments: { image },
  options: {
    'output-dir': { help: 'where to write (default: here)', short: 'o', value: 'DIR' },
    layer,
    remote,
    'insecure-registry': insecureRegistry,
  },
  examples: ['sbom download shop -o papers', 'sbom download shop -o papers --layer base'],
  async run(input, surroundings) {
    const { workingDirectory, report, print } = surroundings
    const place = resolve(workingDirectory, input['output-dir'] ?? '.')
    await withImage(input, surroundings, async found => {
      for (const path of await downloadSbom(found, input.image, place, { part: input.layer }, report))
        print(path)
    })
    return 0
  },
})

export const show = command({
  summary: 'Print the bill of materials of an image',
  arguments: { image },
  options: {
    format: { help: 'cyclonedx (default) or spdx', value: 'FORMAT' },
    layer,
    remote,
    'insecure-registry': insecureRegistry,
  },
  examples: ['sbom show shop', 'sbom show shop --format spdx', 'sbom show shop --layer base'],
  async run(input, surroundings) {
    const { format = 'cyclonedx' } = input
    if (format !== 'cyclonedx' && format !== 'spdx') throw formatUnknown(format)
    await withImage(input, surroundings, async found => {
      const bill = await describeImage(found, input.image, { part: input.layer }, surroundings.report)
      surroundings.print(printBill(bill, format).trimEnd())
    })
    return 0
  },
})

/** Finds the image: in the store first, and there is no need to say `--remote` of one that is only in its registry. */
async function withImage(
  input: { readonly image: string; readonly remote: boolean; readonly 'insecure-registry': string[] },
  { home, environment, workingDirectory, report, signal }: Surroundings,
  act: (image: StoredImage) => Promise<void>,
): Promise<void> {
  const store = openStore(home)
  await using ways = openImageWays({
    home,
    environment,
    report,
    signal,
    insecure: input['insecure-registry'],
  })
  const where = input.remote ? 'remote' : 'first'
  const { local, remote } = await findAnywhere(input.image, where, { store, ways, workingDirectory })
  await act((local ?? remote) as StoredImage)
}

function formatUnknown(format: string): Problem {
  return new Problem('FORMAT_UNKNOWN', {
    what: 'Cannot print the bill of materials',
    why: `there is no format ${JSON.stringify(format)}`,
    fix: 'Give --format cyclonedx or --format spdx.',
    exitCode: 3,
  })
}
