import { resolve } from 'node:path'
import { describeImage, downloadSbom, openStore, printBill } from '#platform'
import { Problem } from '#std'
import { command } from '../command.ts'

const image = { help: 'name or digest of an image in the store' }
const layer = {
  help: 'only this part: base, launcher, a buildpack (acme/node) or a layer of one (acme/node:runtime)',
  value: 'PART',
}

export const download = command({
  summary: 'Write the bill of materials of an image to files',
  arguments: { image },
  options: { 'output-dir': { help: 'where to write (default: here)', short: 'o', value: 'DIR' }, layer },
  examples: ['sbom download shop -o papers', 'sbom download shop -o papers --layer base'],
  async run(
    { image: name, 'output-dir': directory = '.', layer: part },
    { home, workingDirectory, report, print },
  ) {
    const place = resolve(workingDirectory, directory)
    for (const path of await downloadSbom(openStore(home), name, place, { part }, report)) print(path)
    return 0
  },
})

export const show = command({
  summary: 'Print the bill of materials of an image',
  arguments: { image },
  options: { format: { help: 'cyclonedx (default) or spdx', value: 'FORMAT' }, layer },
  examples: ['sbom show shop', 'sbom show shop --format spdx', 'sbom show shop --layer base'],
  async run({ image: name, format = 'cyclonedx', layer: part }, { home, report, print }) {
    if (format !== 'cyclonedx' && format !== 'spdx') throw formatUnknown(format)
    print(printBill(await describeImage(openStore(home), name, { part }, report), format).trimEnd())
    return 0
  },
})

function formatUnknown(format: string): Problem {
  return new Problem('FORMAT_UNKNOWN', {
    what: 'Cannot print the bill of materials',
    why: `there is no format ${JSON.stringify(format)}`,
    fix: 'Give --format cyclonedx or --format spdx.',
    exitCode: 3,
  })
}
