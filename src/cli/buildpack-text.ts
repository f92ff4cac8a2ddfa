import { describeTarget, fullName, type ModuleLayer } from '#cnb'
import type { InspectedPackage } from '#platform'
import { orderDocument, orderLines, orderTree } from './order-tree.ts'
import { table } from './table.ts'

type Facts = NonNullable<InspectedPackage['local']>

/** What `buildpack inspect` says to people, place by place, as pack's does. */
export function packageText({ name, location, remote, local }: InspectedPackage): string {
  const title = location === 'file' ? 'LOCAL ARCHIVE' : 'LOCAL IMAGE'
  const places = [
    remote && `REMOTE IMAGE:\n\n${factsText(remote)}`,
    local && `${title}:\n\n${factsText(local)}`,
  ]
  return [`Inspecting buildpack: '${name}'\n`, ...places.filter(Boolean)].join('\n').trimEnd()
}

function factsText({ about, buildpacks, extensions }: Facts): string {
  const main = mainOf({ about, buildpacks, extensions })
  const all = [...buildpacks, ...extensions]
  const stacks = about.stacks.map(
    ({ id, mixins }) => `  ID: ${id}\n    Mixins:\n      ${mixins.join('\n      ') || '(none)'}`,
  )
  const rows = all.map(({ id, name, version, homepage }) => [id, name ?? '-', version, homepage ?? '-'])
  const parts = [
    about.stacks.length > 0 && `Stacks:\n${stacks.join('\n')}\n`,
    main &&
      main.targets.length > 0 &&
      `Targets:\n${main.targets.map(each => `  ${describeTarget(each)}`).join('\n')}\n`,
    `${buildpacks.length > 0 ? 'Buildpacks' : 'Extensions'}:\n${table([['ID', 'NAME', 'VERSION', 'HOMEPAGE'], ...rows]).replaceAll(/^/gm, '  ')}\n`,
    main && buildpacks.length > 0 && `Detection Order:\n${orderLines(treeOf(main, buildpacks)).join('\n')}\n`,
  ]
  return parts.filter(Boolean).join('\n')
}

function mainOf({ about, buildpacks, extensions }: Facts): ModuleLayer | undefined {
  return [...buildpacks, ...extensions].find(each => fullName(each) === fullName(about))
}

function treeOf({ id, version }: ModuleLayer, modules: readonly ModuleLayer[]) {
  return orderTree([[{ id, version, optional: false, execEnv: [] }]], modules)
}

/** The same as one document. */
export function packageDocument({ name, location, remote, local }: InspectedPackage): object {
  return {
    buildpack_name: name,
    location,
    remote_info: remote ? factsDocument(remote) : null,
    local_info: local ? factsDocument(local) : null,
  }
}

function factsDocument(facts: Facts): object {
  const main = mainOf(facts)
  const { stacks, ...about } = facts.about
  return {
    metadata: about,
    stacks,
    buildpacks: facts.buildpacks.map(moduleDocument),
    ...(facts.extensions.length > 0 && { extensions: facts.extensions.map(moduleDocument) }),
    ...(main && { order: orderDocument(treeOf(main, facts.buildpacks)) }),
  }
}

function moduleDocument({ layerDiffId, order: _, ...module }: ModuleLayer): object {
  return { ...module, layer_diff_id: layerDiffId }
}
