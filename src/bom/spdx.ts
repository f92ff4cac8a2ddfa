import { printJson } from '#std'
import type { Bill, Component, ComponentType, HashName } from './component.ts'
import { isLicenseExpression } from './licenses.ts'
import { uuidOf } from './serial.ts'

/** Media type of an SPDX document in JSON. */
export const SPDX_MEDIA_TYPE = 'application/spdx+json'

/** Hash algorithms as SPDX spells them. */
export const SPDX_HASHES: Readonly<Record<HashName, string>> = {
  MD5: 'MD5',
  'SHA-1': 'SHA1',
  'SHA-256': 'SHA256',
  'SHA-384': 'SHA384',
  'SHA-512': 'SHA512',
}

/** The purposes of SPDX 2.3, for each type that has one. */
export const SPDX_PURPOSES: Readonly<Partial<Record<ComponentType, string>>> = {
  application: 'APPLICATION',
  framework: 'FRAMEWORK',
  library: 'LIBRARY',
  container: 'CONTAINER',
  'operating-system': 'OPERATING-SYSTEM',
  device: 'DEVICE',
  firmware: 'FIRMWARE',
  file: 'FILE',
}

/** SPDX wants a time in every document; what has none is as old as the files of a layer. */
const NO_TIME = '1980-01-01T00:00:01Z'

/** Prints a bill as SPDX 2.3 JSON. Deterministic: no clock, and a namespace that follows from the content. */
export function printSpdx({ subject, created, components }: Bill): string {
  const names = new Map<string, string>()
  const main = subject && packageOf(subject, 'SPDXRef-Subject', names)
  const packages = components.map((component, index) =>
    packageOf(component, `SPDXRef-Package-${index + 1}`, names),
  )
  const name = subject ? `${subject.name}${subject.version && `@${subject.version}`}` : 'components'
  const body = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    creationInfo: { created: secondsOf(created ?? NO_TIME), creators: ['Tool: slipway'] },
    packages: main ? [main, ...packages] : packages,
    relationships: relationships(main !== undefined, components.length),
    ...(names.size > 0 && { hasExtractedLicensingInfos: [...names].map(extracted) }),
  }
  return printJson({
    ...body,
    documentNamespace: `https://spdx.org/spdxdocs/slipway-${uuidOf(printJson(body))}`,
  })
}

function packageOf(component: Component, id: string, names: Map<string, string>): Record<string, unknown> {
  const {
    type,
    name,
    version,
    group,
    purl,
    cpes = [],
    licenses = [],
    hashes = {},
    supplier,
    properties,
  } = component
  const references = [
    ...(purl ? [reference('PACKAGE-MANAGER', 'purl', purl)] : []),
    ...cpes.map(cpe => reference('SECURITY', 'cpe23Type', cpe)),
  ]
  const checksums = Object.entries(hashes)
    .filter((entry): entry is [HashName, string] => entry[1] !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([algorithm, checksumValue]) => ({ algorithm: SPDX_HASHES[algorithm], checksumValue }))
  const purpose = SPDX_PURPOSES[type]
  const source = Object.entries(properties ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    SPDXID: id,
    name: group ? `${group}/${name}` : name,
    ...(version && { versionInfo: version }),
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: licenses.length === 0 ? 'NOASSERTION' : declared(licenses, names),
    copyrightText: 'NOASSERTION',
    ...(supplier && { supplier: `Organization: ${supplier}` }),
    ...(purpose && { primaryPackagePurpose: purpose }),
    ...(references.length > 0 && { externalRefs: references }),
    ...(checksums.length > 0 && { checksums }),
    ...(source.length > 0 && { sourceInfo: source.map(([key, value]) => `${key}: ${value}`).join('\n') }),
  }
}

function reference(referenceCategory: string, referenceType: string, referenceLocator: string) {
  return { referenceCategory, referenceType, referenceLocator }
}

/** One expression; what is no known license becomes a reference to its name (SPDX 2.3 §10). */
function declared(licenses: readonly string[], names: Map<string, string>): string {
  const parts = licenses.map(text => {
    if (isLicenseExpression(text)) return licenses.length > 1 && text.includes(' ') ? `(${text})` : text
    const known = names.get(text)
    if (known) return known
    const id = `LicenseRef-${names.size + 1}`
    names.set(text, id)
    return id
  })
  return parts.join(' AND ')
}

function extracted([name, licenseId]: [string, string]) {
  return { licenseId, name, extractedText: name }
}

function relationships(hasSubject: boolean, count: number) {
  const describes = { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES' }
  const packages = Array.from({ length: count }, (_, index) => `SPDXRef-Package-${index + 1}`)
  if (!hasSubject) return packages.map(relatedSpdxElement => ({ ...describes, relatedSpdxElement }))
  return [
    { ...describes, relatedSpdxElement: 'SPDXRef-Subject' },
    ...packages.map(relatedSpdxElement => ({
      spdxElementId: 'SPDXRef-Subject',
      relationshipType: 'CONTAINS',
      relatedSpdxElement,
    })),
  ]
}

/** SPDX takes whole seconds of UTC only. */
function secondsOf(time: string): string {
  const parsed = Date.parse(time)
  return Number.isNaN(parsed) ? NO_TIME : new Date(parsed).toISOString().replace(/\.\d+/, '')
}
