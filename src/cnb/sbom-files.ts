import type { LayerName } from './ids.ts'

/** The formats of bills of materials, with the file extension of each (CNB buildpack specification, "Bill-of-Materials"). */
export const SBOM_FORMATS = [
  { extension: 'cdx.json', mediaType: 'application/vnd.cyclonedx+json' },
  { extension: 'spdx.json', mediaType: 'application/spdx+json' },
  { extension: 'syft.json', mediaType: 'application/vnd.syft+json' },
] as const

export type SbomExtension = (typeof SBOM_FORMATS)[number]['extension']

/** A bill of materials in a buildpack's directory: for all of launch, for all of the build, or for one layer. */
export interface SbomFile {
  readonly file: string
  readonly subject: 'launch' | 'build' | 'layer'
  readonly layer?: LayerName
  readonly extension: SbomExtension
  readonly mediaType: string
}

/** A file named as a bill of materials, of a format that there is none of. */
export interface UnknownSbomFile {
  readonly file: string
  readonly subject: 'unknown'
  readonly why: string
}

/**
 * Tells what a file of a buildpack's directory is a bill of materials of; `undefined` if it is none of ours: not named so, or for a
 * layer that is not there. Whole layer names are compared, so that layers may have dots in their names.
 */
export function sbomFileOf(
  file: string,
  layers: readonly LayerName[],
): SbomFile | UnknownSbomFile | undefined {
  const subject = ['launch', 'build', ...layers].find(
    name => file.startsWith(`${name}.sbom.`) && /^[^/]+\.json$/.test(file.slice(`${name}.sbom.`.length)),
  )
  if (subject === undefined) return undefined
  const format = SBOM_FORMATS.find(({ extension }) => file === `${subject}.sbom.${extension}`)
  if (!format) {
    const known = SBOM_FORMATS.map(({ extension }) => `.sbom.${extension}`).join(', ')
    return { file, subject: 'unknown', why: `bills of materials end in ${known}` }
  }
  if (subject === 'launch' || subject === 'build') return { file, subject, ...format }
  return { file, subject: 'layer', layer: subject as LayerName, ...format }
}
