import { printJson } from '#std'
import type { Bill, Component } from './component.ts'
import { isLicenseExpression, isLicenseId } from './licenses.ts'
import { uuidOf } from './serial.ts'

/** Media type of a CycloneDX document in JSON. */
export const CYCLONEDX_MEDIA_TYPE = 'application/vnd.cyclonedx+json'

/** Where further CPE names go: CycloneDX has room for one, and scanners look for the others here. */
export const CPE_PROPERTY = 'syft:cpe23'

/**
 * Prints a bill as CycloneDX 1.6 JSON. Deterministic: no clock, and a serial number that follows from the content. Components keep
 * the order they have; `mergeBills` gives one.
 */
export function printCycloneDx({ subject, created, components }: Bill): string {
  const body = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      ...(created && { timestamp: created }),
      tools: { components: [{ type: 'application', name: 'slipway' }] },
      ...(subject && { component: componentOf(subject, 'subject') }),
    },
    components: components.map((component, index) => componentOf(component, `component-${index + 1}`)),
    ...(subject && {
      dependencies: [{ ref: 'subject', dependsOn: components.map((_, index) => `component-${index + 1}`) }],
    }),
  }
  return printJson({ ...body, serialNumber: `urn:uuid:${uuidOf(printJson(body))}` })
}

function componentOf(component: Component, ref: string): Record<string, unknown> {
  const { type, name, version, group, purl, cpes = [], licenses = [], hashes, supplier } = component
  const properties = [
    ...cpes.slice(1).map(value => ({ name: CPE_PROPERTY, value })),
    ...Object.entries(component.properties ?? {})
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ name: key, value })),
  ]
  return {
    'bom-ref': ref,
    type,
    name,
    ...(version && { version }),
    ...(group && { group }),
    ...(supplier && { supplier: { name: supplier } }),
    ...(hashes && { hashes: hashList(hashes) }),
    ...(licenses.length > 0 && { licenses: licenseList(licenses) }),
    ...(cpes[0] && { cpe: cpes[0] }),
    ...(purl && { purl }),
    ...(properties.length > 0 && { properties }),
  }
}

function hashList(hashes: NonNullable<Component['hashes']>): { alg: string; content: string }[] {
  return Object.entries(hashes)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([alg, content]) => ({ alg, content }))
}

/** The format takes one expression, or any number of licenses by id or name. */
function licenseList(licenses: readonly string[]): Record<string, unknown>[] {
  const [only] = licenses
  if (licenses.length === 1 && only && !isLicenseId(only) && isLicenseExpression(only))
    return [{ expression: only }]
  return licenses.map(text => ({ license: isLicenseId(text) ? { id: text } : { name: text } }))
}
