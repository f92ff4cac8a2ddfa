import * as v from 'valibot'
import { check, parseJson } from '#std'
import { withoutEmpty } from './document.ts'
import { printGoJson } from './go-json.ts'
import { type Order, orderFrom } from './order.ts'

/** Labels of a builder for its order, with the versions that its author wrote, and for that of its extensions. */
export const ORDER_LABEL = 'io.buildpacks.buildpack.order'
export const EXTENSION_ORDER_LABEL = 'io.buildpacks.buildpack.order-extensions'

const environments = v.nullish(v.array(v.string()), [])
const entry = v.object({
  id: v.string(),
  version: v.nullish(v.string(), undefined),
  optional: v.nullish(v.boolean(), false),
  'exec-env': environments,
})

/** An order in the JSON of a label; `null` stands for none. */
export const labelledOrderSchema = v.nullish(v.array(v.object({ group: v.nullish(v.array(entry), []) })), [])

/** Reads `io.buildpacks.buildpack.order` or `…order-extensions`. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`, `BUILDPACK_ID_INVALID`, …). */
export function parseOrderLabel(label: string, source: string): Order {
  return labelledOrder(check(labelledOrderSchema, parseJson(label, source), source), source)
}

/** Checks a parsed order of a label. */
export function labelledOrder(groups: v.InferOutput<typeof labelledOrderSchema>, source: string): Order {
  return orderFrom(
    groups.map(({ group }) => ({
      group: group.map(each => ({ ...each, version: each.version ?? undefined })),
    })),
    source,
  )
}

/** Prints an order label as pack does; an empty order is `null`. */
export function printOrderLabel(order: Order): string {
  return printGoJson(order.length === 0 ? null : orderTable(order))
}

/** An order as labels hold it. */
export function orderTable(order: Order): unknown[] {
  return order.map(group => ({
    group: group.map(({ id, version, optional, execEnv }) => ({
      id,
      ...withoutEmpty({ version, optional: optional || undefined, 'exec-env': execEnv }),
    })),
  }))
}
