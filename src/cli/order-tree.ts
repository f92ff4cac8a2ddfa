import { fullName, type ModuleLayer, type Order, type OrderEntry } from '#cnb'

/** A node of an order as it is shown: composite buildpacks with their own orders below them. */
export interface OrderNode {
  readonly entry?: OrderEntry
  readonly cyclic: boolean
  readonly below: readonly OrderNode[]
}

/** The order of a builder or a composite buildpack as a tree; one that is inside itself is named and not entered. */
export function orderTree(
  order: Order,
  modules: readonly ModuleLayer[],
  above: readonly string[] = [],
): OrderNode[] {
  return order.map(group => ({ cyclic: false, below: group.map(entry => nodeOf(entry, modules, above)) }))
}

function nodeOf(entry: OrderEntry, modules: readonly ModuleLayer[], above: readonly string[]): OrderNode {
  const versions = modules.filter(({ id }) => id === entry.id)
  const found =
    versions.find(({ version }) => version === entry.version) ??
    (entry.version === undefined && versions.length === 1 ? versions[0] : undefined)
  const name = fullName(entry)
  const cyclic = above.includes(name)
  const below = found && !cyclic ? orderTree(found.order, modules, [...above, name]) : []
  return { entry, cyclic, below }
}

/** The tree in the lines that pack draws. */
export function orderLines(nodes: readonly OrderNode[], indent = ''): string[] {
  return nodes.flatMap((node, index) => {
    const last = index === nodes.length - 1
    const { entry } = node
    const text = entry
      ? `${fullName(entry)}${entry.optional ? '  (optional)' : ''}${node.cyclic ? '  [cyclic]' : ''}`
      : `Group #${index + 1}:`
    return [
      `${indent}${last ? ' └ ' : ' ├ '}${text}`,
      ...orderLines(node.below, `${indent}${last ? '   ' : ' │ '}`),
    ]
  })
}

/** The tree as pack's documents have it. */
export function orderDocument(nodes: readonly OrderNode[]): unknown[] {
  return nodes.map(({ entry, cyclic, below }) => ({
    ...(entry && {
      id: entry.id,
      ...(entry.version !== undefined && { version: entry.version }),
      ...(entry.optional && { optional: true }),
    }),
    ...(cyclic && { cyclic }),
    ...(below.length > 0 && { buildpacks: orderDocument(below) }),
  }))
}
