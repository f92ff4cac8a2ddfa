import * as v from 'valibot'
import { printToml } from '#std'
import { execEnv, readDocument } from './document.ts'
import { type BuildpackId, parseBuildpackId, parseVersion } from './ids.ts'

/** One buildpack of an order group. */
export interface OrderEntry {
  readonly id: BuildpackId
  /** Absent only where an author left it to the builder. */
  readonly version?: string
  readonly optional: boolean
  /** Execution environments that it takes part in; empty means all. */
  readonly execEnv: readonly string[]
}

/** Buildpacks that are tried together, in this order. */
export type OrderGroup = readonly OrderEntry[]
/** Groups, tried one after the other until one passes. */
export type Order = readonly OrderGroup[]

/** What order.toml holds. */
export interface OrderDocument {
  readonly order: Order
  readonly extensions: Order
}

const entry = v.object({
  id: v.string(),
  version: v.optional(v.string()),
  optional: v.optional(v.boolean(), false),
  'exec-env': execEnv,
})
/** `[[order]]` with its `[[order.group]]`. */
export const orderSchema = v.array(v.object({ group: v.optional(v.array(entry), () => []) }))
/** One `[[…group]]` entry. */
export const orderEntrySchema = entry

const document = v.object({
  order: v.optional(orderSchema, () => []),
  'order-extensions': v.optional(orderSchema, () => []),
})

/** Reads an order.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, `BUILDPACK_ID_INVALID`, …). */
export function parseOrder(text: string, file: string): OrderDocument {
  const { order, 'order-extensions': extensions } = readDocument(document, text, file)
  return { order: orderFrom(order, file), extensions: orderFrom(extensions, file) }
}

/** Prints an order.toml. Equal orders give equal text. */
export function printOrder({ order, extensions }: OrderDocument): string {
  return printToml({
    ...(order.length > 0 && { order: order.map(groupTable) }),
    ...(extensions.length > 0 && { 'order-extensions': extensions.map(groupTable) }),
  })
}

/** Checks the ids and versions of a parsed order. */
export function orderFrom(groups: v.InferOutput<typeof orderSchema>, source: string): Order {
  return groups.map(({ group }) => group.map(each => entryFrom(each, source)))
}

/** Checks id and version of one parsed entry. */
export function entryFrom(each: v.InferOutput<typeof entry>, source: string): OrderEntry {
  return {
    id: parseBuildpackId(each.id, source),
    ...(each.version !== undefined && each.version !== '' && { version: parseVersion(each.version, source) }),
    optional: each.optional,
    execEnv: each['exec-env'],
  }
}

function groupTable(group: OrderGroup) {
  return {
    group: group.map(({ id, version, optional, execEnv: environments }) => ({
      id,
      ...(version !== undefined && { version }),
      ...(optional && { optional }),
      ...(environments.length > 0 && { 'exec-env': environments }),
    })),
  }
}
