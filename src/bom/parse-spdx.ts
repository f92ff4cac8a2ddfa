import * as v from 'valibot'
import { check, parseJson } from '#std'
import type { Bill, Component, ComponentType, HashName } from './component.ts'
import { BILL_LIMIT, short, url } from './limits.ts'
import { SPDX_HASHES, SPDX_PURPOSES } from './spdx.ts'

const reference = v.object({ referenceType: short, referenceLocator: url })
const checksum = v.object({ algorithm: short, checksumValue: v.pipe(v.string(), v.maxLength(200)) })
const pack = v.object({
  SPDXID: short,
  name: short,
  versionInfo: v.optional(short, ''),
  primaryPackagePurpose: v.optional(short),
  licenseConcluded: v.optional(v.pipe(v.string(), v.maxLength(4000))),
  licenseDeclared: v.optional(v.pipe(v.string(), v.maxLength(4000))),
  supplier: v.optional(short),
  externalRefs: v.optional(v.array(reference), () => []),
  checksums: v.optional(v.array(checksum), () => []),
})
type Package = v.InferOutput<typeof pack>
const document = v.object({
  spdxVersion: v.picklist(['SPDX-2.2', 'SPDX-2.3']),
  creationInfo: v.object({ created: v.optional(short) }),
  packages: v.optional(v.pipe(v.array(pack), v.maxLength(BILL_LIMIT.components)), () => []),
  documentDescribes: v.optional(v.array(short), () => []),
  relationships: v.optional(
    v.array(v.object({ spdxElementId: short, relationshipType: short, relatedSpdxElement: short })),
    () => [],
  ),
  hasExtractedLicensingInfos: v.optional(
    v.array(v.object({ licenseId: short, name: v.optional(short) })),
    () => [],
  ),
})

/**
 * Reads an SPDX document in JSON (2.2 or 2.3). The one package that the document describes is the subject, if it describes one.
 * Files and snippets are left out. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`).
 */
export function parseSpdx(text: string, source: string): Bill {
  const parsed = check(document, parseJson(text, source, BILL_LIMIT.bytes), source)
  const described = new Set([
    ...parsed.documentDescribes,
    ...parsed.relationships
      .filter(each => each.relationshipType === 'DESCRIBES' && each.spdxElementId === 'SPDXRef-DOCUMENT')
      .map(each => each.relatedSpdxElement),
  ])
  const names = new Map(
    parsed.hasExtractedLicensingInfos.map(({ licenseId, name }) => [licenseId, name ?? licenseId]),
  )
  const subject = described.size === 1 ? parsed.packages.find(each => described.has(each.SPDXID)) : undefined
  const { created } = parsed.creationInfo
  return {
    ...(subject && { subject: componentFrom(subject, names) }),
    ...(created && { created }),
    components: parsed.packages.filter(each => each !== subject).map(each => componentFrom(each, names)),
  }
}

function componentFrom(found: Package, names: ReadonlyMap<string, string>): Component {
  const locators = (type: RegExp) =>
    found.externalRefs.filter(each => type.test(each.referenceType)).map(each => each.referenceLocator)
  const [purl] = locators(/^purl$/)
  const cpes = locators(/^cpe2[23]Type$/)
  const licenses = licensesOf(found, names)
  const hashes = found.checksums.flatMap(({ algorithm, checksumValue }): [HashName, string][] => {
    const known = Object.entries(SPDX_HASHES).find(([, spelling]) => spelling === algorithm)
    return known ? [[known[0] as HashName, checksumValue]] : []
  })
  const supplier = /^(?:Organization|Person): (.+)$/.exec(found.supplier ?? '')?.[1]
  return {
    type: typeOf(found.primaryPackagePurpose),
    name: found.name,
    version: found.versionInfo,
    ...(purl && { purl }),
    ...(cpes.length > 0 && { cpes }),
    ...(licenses.length > 0 && { licenses }),
    ...(hashes.length > 0 && { hashes: Object.fromEntries(hashes) }),
    ...(supplier && { supplier }),
  }
}

function typeOf(purpose: string | undefined): ComponentType {
  const known = Object.entries(SPDX_PURPOSES).find(([, spelling]) => spelling === purpose)
  return (known?.[0] as ComponentType | undefined) ?? 'library'
}

function licensesOf(found: Package, names: ReadonlyMap<string, string>): string[] {
  const said = [found.licenseDeclared, found.licenseConcluded].find(
    each => each && !/^(?:NOASSERTION|NONE)$/.test(each),
  )
  return said === undefined ? [] : [names.get(said) ?? said]
}
