import { fullName, type Group } from '#cnb'
import type { BuildpackSource } from '#lifecycle'
import type { Report } from '#std'
import type { Builder } from '../builder/builder.ts'

/**
 * Says which buildpacks of a group are older than targets and were written for other stacks, or for packages that the builder does not list. As with the
 * reference since Platform API 0.12 they are run all the same: stacks count only as far as targets follow from them.
 */
export async function stackNotes(
  group: Group,
  buildpacks: BuildpackSource,
  { stackId, mixins }: Pick<Builder, 'stackId'> & { readonly mixins?: Builder['mixins'] },
  report: Report,
): Promise<void> {
  for (const member of group.buildpacks) {
    const found = await buildpacks.find(member.id, member.version)
    const { stacks = [], targets = [] } = found?.descriptor ?? {}
    if (stacks.length === 0 || targets.length > 0) continue
    const stack = stacks.find(({ id }) => id === '*' || id === stackId)
    if (!stack) {
      const ids = stacks.map(({ id }) => id).join(', ')
      report.warn(
        `${fullName(member)} was written for ${ids}, and this is ${stackId ?? 'no stack'}; it is tried all the same.`,
      )
      continue
    }
    const known = mixins ?? stack.mixins
    const missing = stack.mixins.filter(mixin => !mixin.startsWith('run:') && !known.includes(mixin))
    if (missing.length > 0)
      report.warn(`${fullName(member)} wants ${missing.join(', ')}, which the builder does not list.`)
  }
}
