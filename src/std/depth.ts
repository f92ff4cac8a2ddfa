/** How deep lists and tables are nested in a parsed document: 0 for a plain value, 1 for a list of those. Needs no stack. */
export function depthOf(value: unknown): number {
  let deepest = 0
  const pending: [unknown, number][] = [[value, 0]]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [inner, depth] = next
    if (inner === null || typeof inner !== 'object') continue
    deepest = Math.max(deepest, depth + 1)
    for (const child of Object.values(inner)) pending.push([child, depth + 1])
  }
  return deepest
}
