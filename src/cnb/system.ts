import * as v from 'valibot'
import { printToml } from '#std'
import { readDocument } from './document.ts'
import { entryFrom, type Order, type OrderEntry, orderEntrySchema } from './order.ts'

/** Buildpacks that an operator puts before and after those of every group (system.toml, Platform API 0.15). */
export interface SystemBuildpacks {
  readonly pre: readonly OrderEntry[]
  readonly post: readonly OrderEntry[]
}

const list = v.optional(v.object({ buildpacks: v.optional(v.array(orderEntrySchema), () => []) }))
const document = v.object({ system: v.optional(v.object({ pre: list, post: list })) })

/** Reads a system.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, …). */
export function parseSystem(text: string, file: string): SystemBuildpacks {
  const { system } = readDocument(document, text, file)
  return {
    pre: (system?.pre?.buildpacks ?? []).map(each => entryFrom(each, file)),
    post: (system?.post?.buildpacks ?? []).map(each => entryFrom(each, file)),
  }
}

/** Prints a system.toml. */
export function printSystem({ pre, post }: SystemBuildpacks): string {
  const list = (entries: readonly OrderEntry[]) => ({
    buildpacks: entries.map(({ id, version, optional }) => ({
      id,
      ...(version !== undefined && { version }),
      ...(optional && { optional }),
    })),
  })
  return printToml({
    system: { ...(pre.length > 0 && { pre: list(pre) }), ...(post.length > 0 && { post: list(post) }) },
  })
}

/** Puts the system's buildpacks around every group, except those that the group has already, in whatever version. */
export function withSystem(order: Order, { pre, post }: SystemBuildpacks): Order {
  return order.map(group => {
    const missing = (entry: OrderEntry) => group.every(({ id }) => id !== entry.id)
    return [...pre.filter(missing), ...group, ...post.filter(missing)]
  })
}
