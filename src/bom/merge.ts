import { byBytes } from '#std'
import type { Bill, Component } from './component.ts'
import { LAYER_PROPERTY } from './component.ts'

/** A bill of a part of something, with the name of that part. */
export interface PartBill {
  /** Where its components are, such as `slipway/jdk:jre`; kept as the property `io.slipway.layer`. */
  readonly part: string
  readonly bill: Bill
}

/**
 * One bill for a whole that is made of parts. A component that several documents of one part list (as CycloneDX and as SPDX) is there
 * once, with what any of them knows; the same component in another part is another component. Sorted by part in the order given, then
 * by name, version and package URL, so that the order of documents and of their contents does not matter.
 */
export function mergeBills(parts: readonly PartBill[], about: Pick<Bill, 'subject' | 'created'>): Bill {
  const order = [...new Set(parts.map(({ part }) => part))]
  const components = order.flatMap(part => {
    const merged = new Map<string, Component>()
    for (const { bill } of parts.filter(each => each.part === part)) {
      const whole = bill.components.length === 0 && bill.subject ? [bill.subject] : bill.components
      for (const component of whole) {
        const key = keyOf(component)
        const known = merged.get(key)
        merged.set(key, known ? both(known, component) : component)
      }
    }
    return [...merged.values()]
      .map(component => ({ ...component, properties: { ...component.properties, [LAYER_PROPERTY]: part } }))
      .toSorted(
        (a, b) => byBytes(a.name, b.name) || byBytes(a.version, b.version) || byBytes(keyOf(a), keyOf(b)),
      )
  })
  return { ...about, components }
}

function keyOf({ purl, type, group, name, version }: Component): string {
  return purl ?? JSON.stringify([type, group ?? '', name, version])
}

/** What either knows; where both do, the first. */
function both(first: Component, second: Component): Component {
  const cpes = [...new Set([...(first.cpes ?? []), ...(second.cpes ?? [])])]
  const hashes = { ...second.hashes, ...first.hashes }
  const properties = { ...second.properties, ...first.properties }
  return {
    ...second,
    ...first,
    ...(cpes.length > 0 && { cpes }),
    ...(Object.keys(hashes).length > 0 && { hashes }),
    ...(Object.keys(properties).length > 0 && { properties }),
  }
}
