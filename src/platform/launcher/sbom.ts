import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bill, printCycloneDx, printSpdx, purl } from '#bom'
import type { LauncherBinary } from './launcher.ts'

/** What the launcher is made of: itself and Go's standard library, which is all that it stands on. */
function billOfLauncher({ version, go }: LauncherBinary): Bill {
  return {
    components: [
      {
        type: 'application',
        name: 'slipway-launcher',
        version,
        purl: purl({ type: 'generic', name: 'slipway-launcher', version }),
        licenses: ['Apache-2.0'],
      },
      {
        type: 'library',
        name: 'stdlib',
        version: go,
        purl: purl({ type: 'golang', name: 'stdlib', version: go }),
        cpes: [`cpe:2.3:a:golang:go:${go}:*:*:*:*:*:*:*`],
        licenses: ['BSD-3-Clause'],
      },
    ],
  }
}

/** Writes the bills of materials of a launcher, as an export wants them; equal launchers give equal bytes. Returns the directory. */
export async function writeLauncherBills(directory: string, launcher: LauncherBinary): Promise<string> {
  await mkdir(directory, { recursive: true })
  const bill = billOfLauncher(launcher)
  await writeFile(join(directory, 'launcher.sbom.cdx.json'), printCycloneDx(bill))
  await writeFile(join(directory, 'launcher.sbom.spdx.json'), printSpdx(bill))
  return directory
}
