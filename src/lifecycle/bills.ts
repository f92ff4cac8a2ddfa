import { join } from 'node:path'
import { type BuildpackDescriptor, fullName, type SbomFile, sbomFileOf } from '#cnb'
import { buildpackWroteNonsense } from './problems.ts'
import type { DeclaredLayer } from './read-layers.ts'
import { listUntrusted } from './untrusted.ts'

/** A bill of materials that a buildpack wrote, and the parts of `<layers>/sbom` that it belongs to. */
export interface Bill extends SbomFile {
  readonly path: string
  readonly parts: readonly ('launch' | 'build' | 'cache')[]
}

/**
 * The bills of materials in a buildpack's directory (CNB buildpack specification, "Bill-of-Materials"). A format that is unknown, or that
 * the buildpack did not declare, throws a `Problem` (`BUILDPACK_OUTPUT_INVALID`).
 */
export async function billsOf(
  descriptor: BuildpackDescriptor,
  directory: string,
  layers: readonly DeclaredLayer[],
): Promise<Bill[]> {
  const name = fullName(descriptor)
  const names = layers.map(layer => layer.name)
  // Parameters (`;version=1.4`) do not count.
  const declared = descriptor.sbomFormats.map(format => format.split(';')[0]?.trim().toLowerCase())
  const bills: Bill[] = []
  for (const { name: file } of await listUntrusted(directory)) {
    const bill = sbomFileOf(file, names)
    if (!bill) continue
    if (bill.subject === 'unknown') throw buildpackWroteNonsense(name, `${file}: ${bill.why}`)
    if (!declared.includes(bill.mediaType)) {
      throw buildpackWroteNonsense(
        name,
        `${file} is ${bill.mediaType}, which its buildpack.toml does not list in sbom-formats`,
      )
    }
    bills.push({ ...bill, path: join(directory, file), parts: partsOf(bill, layers) })
  }
  return bills
}

function partsOf({ subject, layer }: SbomFile, layers: readonly DeclaredLayer[]): Bill['parts'] {
  if (subject !== 'layer') return [subject]
  const types = layers.find(({ name }) => name === layer)?.types
  return [types?.launch ? 'launch' : 'build', ...(types?.cache ? (['cache'] as const) : [])]
}
