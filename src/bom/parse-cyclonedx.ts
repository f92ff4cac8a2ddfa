import * as v from 'valibot'
import { check, parseJson } from '#std'
import { type Bill, COMPONENT_TYPES, type Component, HASH_NAMES, type HashName } from './component.ts'
import { CPE_PROPERTY } from './cyclonedx.ts'
import { BILL_LIMIT, short, url } from './limits.ts'

const hash = v.object({ alg: short, content: v.pipe(v.string(), v.maxLength(200)) })
const license = v.object({
  license: v.optional(v.object({ id: v.optional(short), name: v.optional(short) })),
  expression: v.optional(v.pipe(v.string(), v.maxLength(4000))),
})
const property = v.object({
  name: v.optional(short, ''),
  value: v.optional(v.pipe(v.string(), v.maxLength(10_000)), ''),
})
const flat = {
  type: v.picklist(COMPONENT_TYPES),
  name: short,
  group: v.optional(short),
  version: v.optional(short, ''),
  purl: v.optional(url),
  cpe: v.optional(short),
  hashes: v.optional(v.array(hash), () => []),
  licenses: v.optional(v.array(license), () => []),
  supplier: v.optional(v.object({ name: v.optional(short) })),
  properties: v.optional(v.array(property), () => []),
}
const component = v.object({ ...flat, components: v.optional(v.array(v.unknown()), () => []) })
const document = v.object({
  bomFormat: v.literal('CycloneDX'),
  specVersion: v.picklist(['1.2', '1.3', '1.4', '1.5', '1.6', '1.7']),
  metadata: v.optional(v.object({ timestamp: v.optional(short), component: v.optional(component) })),
  components: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(BILL_LIMIT.components)), () => []),
})

/**
 * Reads a CycloneDX document in JSON (1.2 to 1.7), such as a buildpack wrote. Components inside components are listed after the one they
 * are in. What `Component` has no place for is left out. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`).
 */
export function parseCycloneDx(text: string, source: string): Bill {
  const { metadata, components } = check(document, parseJson(text, source, BILL_LIMIT.bytes), source)
  return {
    ...(metadata?.component && { subject: componentFrom(metadata.component) }),
    ...(metadata?.timestamp && { created: metadata.timestamp }),
    components: flattened(components, source),
  }
}

function flattened(values: readonly unknown[], source: string): Component[] {
  const found: Component[] = []
  const pending = values.toReversed()
  while (pending.length > 0) {
    const parsed = check(component, pending.pop(), `${source} (component ${found.length + 1})`)
    found.push(componentFrom(parsed))
    pending.push(...parsed.components.toReversed())
  }
  return found
}

function componentFrom(parsed: v.InferOutput<typeof component>): Component {
  const { type, name, version, group, purl, cpe, supplier } = parsed
  const cpes = [
    cpe,
    ...parsed.properties.filter(each => each.name === CPE_PROPERTY).map(each => each.value),
  ].filter((each): each is string => each !== undefined && each !== '')
  const licenses = parsed.licenses.flatMap(
    each => each.expression ?? each.license?.id ?? each.license?.name ?? [],
  )
  const hashes = parsed.hashes.filter((each): each is { alg: HashName; content: string } =>
    HASH_NAMES.some(known => known === each.alg),
  )
  const properties = parsed.properties.filter(each => each.name !== CPE_PROPERTY && each.name !== '')
  return {
    type,
    name,
    version,
    ...(group && { group }),
    ...(purl && { purl }),
    ...(cpes.length > 0 && { cpes: [...new Set(cpes)] }),
    ...(licenses.length > 0 && { licenses }),
    ...(hashes.length > 0 && { hashes: Object.fromEntries(hashes.map(each => [each.alg, each.content])) }),
    ...(supplier?.name && { supplier: supplier.name }),
    ...(properties.length > 0 && {
      properties: Object.fromEntries(properties.map(each => [each.name, each.value])),
    }),
  }
}
