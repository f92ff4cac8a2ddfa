import { writeFile } from 'node:fs/promises'
import { type Component, printCycloneDx, printSpdx } from '#bom'

/** Writes `<base>.sbom.cdx.json` and `<base>.sbom.spdx.json` (buildpack specification, "Bill-of-Materials"). */
export async function writeBill(base: string, components: readonly Component[]): Promise<void> {
  await writeFile(`${base}.sbom.cdx.json`, printCycloneDx({ components }))
  await writeFile(`${base}.sbom.spdx.json`, printSpdx({ components }))
}
