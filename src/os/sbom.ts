import type { Readable } from 'node:stream'
import { printCycloneDx, printSpdx } from '#bom'
import { type Digest, hexOf, packTar, type TarEntry } from '#std'
import { billOf } from './components.ts'
import type { BaseLock } from './lock.ts'
import type { Recipe } from './recipe.ts'
import { TIME } from './tree.ts'

/**
 * The label that names, by diffID, the layer with a base's bills of materials, as other makers of CNB bases set it. In that
 * layer are `/cnb/sbom/<first 8 hex digits of the system layer's diffID>.cdx.json` and `.spdx.json`; both list every package
 * with purl, sha256 and the package that asked for it. `/var/lib/dpkg/status` in the system layer lists the same packages.
 */
export const SBOM_LABEL = 'io.buildpacks.base.sbom'

/** The layer with the bills of a base whose system layer has this diffID, as a tar stream. */
export function sbomLayer(recipe: Recipe, lock: BaseLock, system: Digest): Readable {
  const bill = billOf(recipe, lock)
  const place = `cnb/sbom/${hexOf(system).slice(0, 8)}`
  const directory = (name: string): TarEntry => ({
    ...common,
    name: Buffer.from(name),
    type: 'directory',
    mode: 0o755,
    size: 0,
  })
  const file = (name: string, text: string): TarEntry => {
    const content = Buffer.from(text)
    return {
      ...common,
      name: Buffer.from(name),
      type: 'file',
      mode: 0o644,
      size: content.byteLength,
      content,
    }
  }
  return packTar([
    directory('cnb/'),
    directory('cnb/sbom/'),
    file(`${place}.cdx.json`, printCycloneDx(bill)),
    file(`${place}.spdx.json`, printSpdx(bill)),
  ])
}

const common = { uid: 0, gid: 0, mtime: TIME }
