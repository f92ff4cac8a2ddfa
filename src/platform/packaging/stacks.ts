import type { Stack } from '#cnb'
import { byBytes } from '#std'
import type { PackageModule } from './module.ts'

/** The stacks that all modules of a buildpackage can be on, as pack works them out; one that has targets and no stacks counts as for any. Composite ones do not count. */
export function commonStacks(modules: readonly PackageModule[]): readonly Stack[] {
  const each = modules.filter(({ about }) => about.order.length === 0).map(({ about }) => about.stacks)
  return each.map(stacks => (stacks.length > 0 ? stacks : [{ id: '*', mixins: [] }])).reduce(merged, [])
}

function merged(a: readonly Stack[], b: readonly Stack[]): readonly Stack[] {
  if (a.length === 0) return b
  const any = (stacks: readonly Stack[]) => stacks.some(({ id }) => id === '*')
  if (any(a) && any(b)) return [{ id: '*', mixins: [] }]
  if (any(a)) return b
  if (any(b)) return a
  return b.flatMap(({ id, mixins }) => {
    const other = a.find(stack => stack.id === id)
    if (!other) return []
    return [{ id, mixins: [...new Set([...other.mixins, ...mixins])].toSorted(byBytes) }]
  })
}
