import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BomEntry, type BuildpackDescriptor, escapeId, fullName, goMap, printGoJson } from '#cnb'
import { removeTree } from '#std'
import type { Bill } from './bills.ts'
import type { BuildpackOutput } from './merge-outputs.ts'
import { buildpackWroteNonsense } from './problems.ts'
import { readUntrusted } from './untrusted.ts'

const LARGEST_BILL = 256 * 2 ** 20

/**
 * Puts all bills of materials where the image takes them from: `<layers>/sbom/{launch,build,cache}/<buildpack>/[<layer>/]sbom.<format>`, and
 * the old ones as `sbom.legacy.json`, which the reference writes even where there are none.
 */
export async function writeBills(layers: string, outputs: readonly BuildpackOutput[]): Promise<void> {
  const root = join(layers, 'sbom')
  await removeTree(root)
  for (const part of ['launch', 'build']) await mkdir(join(root, part), { recursive: true, mode: 0o755 })
  for (const { descriptor, bills } of outputs) {
    for (const bill of bills) await copyBill(root, descriptor, bill)
  }
  const launch = outputs.flatMap(({ descriptor, launch: { bom } }) =>
    bom.map(entry => legacy(descriptor, entry)),
  )
  const build = outputs.flatMap(({ descriptor, buildBom }) =>
    buildBom.map(entry => legacy(descriptor, entry)),
  )
  await writeFile(join(root, 'launch', 'sbom.legacy.json'), legacyText(launch), { mode: 0o644 })
  await writeFile(join(root, 'build', 'sbom.legacy.json'), legacyText(build), { mode: 0o644 })
}

async function copyBill(root: string, descriptor: BuildpackDescriptor, bill: Bill): Promise<void> {
  const content = await readUntrusted(bill.path, LARGEST_BILL)
  if (!content) throw buildpackWroteNonsense(fullName(descriptor), `${bill.file} has vanished`)
  for (const part of bill.parts) {
    const directory = join(root, part, escapeId(descriptor.id), bill.layer ?? '')
    await mkdir(directory, { recursive: true, mode: 0o755 })
    await writeFile(join(directory, `sbom.${bill.extension}`), content, { mode: 0o644 })
  }
}

function legacy({ id, version }: BuildpackDescriptor, { name, metadata }: BomEntry) {
  return { name, metadata: goMap(metadata), buildpack: { id, version } }
}

function legacyText(entries: readonly unknown[]): string {
  return `${entries.length === 0 ? 'null' : printGoJson(entries)}\n`
}
