import { type LifecycleDescriptor, type ModuleInfo, runImagesOf } from '#cnb'
import type { InspectedBuilder } from '#platform'
import { orderDocument, orderLines, orderTree } from './order-tree.ts'
import { table } from './table.ts'

type Facts = NonNullable<InspectedBuilder['local']>

/** What `builder inspect` says to people, place by place, as pack's does. */
export function builderText({ name, remote, local }: InspectedBuilder): string {
  const place = (title: string, facts: Facts | undefined) =>
    `${title}:\n${facts ? factsText(facts) : '(not present)\n'}`
  return `Inspecting builder: '${name}'\n\n${place('REMOTE', remote)}\n${place('LOCAL', local)}`.trimEnd()
}

function factsText({ metadata, stackId, order, orderExtensions, buildpacks, extensions }: Facts): string {
  const { description, createdBy, lifecycle } = metadata
  const runImages = runImagesOf(metadata).flatMap(({ image, mirrors }) => [image, ...mirrors])
  const parts = [
    description && `Description: ${description}\n`,
    createdBy.name && `Created By:\n  Name: ${createdBy.name}\n  Version: ${createdBy.version}\n`,
    stackId && `Stack:\n  ID: ${stackId}\n`,
    lifecycleText(lifecycle),
    `Run Images:\n${runImages.map(image => `  ${image}`).join('\n') || '  (none)'}\n`,
    `Buildpacks:\n${modulesText(metadata.buildpacks)}\n`,
    `Detection Order:\n${orderLines(orderTree(order, buildpacks)).join('\n') || '  (none)'}\n`,
    metadata.extensions.length > 0 && `Extensions:\n${modulesText(metadata.extensions)}\n`,
    orderExtensions.length > 0 &&
      `Detection Order (Extensions):\n${orderLines(orderTree(orderExtensions, extensions)).join('\n')}\n`,
  ]
  return parts.filter(Boolean).join('\n')
}

function lifecycleText({ version, apis }: LifecycleDescriptor): string {
  const list = (versions: readonly string[]) => versions.join(', ') || '(none)'
  const set = (name: string, { deprecated, supported }: LifecycleDescriptor['apis']['buildpack']) =>
    `  ${name} APIs:\n    Deprecated: ${list(deprecated)}\n    Supported: ${list(supported)}\n`
  return `Lifecycle:\n  Version: ${version}\n${set('Buildpack', apis.buildpack)}${set('Platform', apis.platform)}`
}

function modulesText(modules: readonly ModuleInfo[]): string {
  if (modules.length === 0) return '  (none)'
  const rows = modules.map(({ id, name, version, homepage }) => [id, name ?? '-', version, homepage ?? '-'])
  const text = table([['ID', 'NAME', 'VERSION', 'HOMEPAGE'], ...rows])
  return text.replaceAll(/^/gm, '  ')
}

/** The same as one document, with the keys of pack's. */
export function builderDocument({ name, remote, local }: InspectedBuilder): object {
  return {
    builder_name: name,
    trusted: false,
    default: false,
    remote_info: remote ? factsDocument(remote) : null,
    local_info: local ? factsDocument(local) : null,
  }
}

function factsDocument({ metadata, stackId, order, orderExtensions, buildpacks, extensions }: Facts): object {
  const { description, createdBy, lifecycle } = metadata
  return {
    ...(description !== '' && { description }),
    created_by: createdBy,
    ...(stackId !== '' && { stack: { id: stackId } }),
    lifecycle: {
      version: lifecycle.version,
      buildpack_apis: lifecycle.apis.buildpack,
      platform_apis: lifecycle.apis.platform,
    },
    run_images: runImagesOf(metadata).flatMap(({ image, mirrors }) =>
      [image, ...mirrors].map(name => ({ name })),
    ),
    buildpacks: metadata.buildpacks,
    detection_order: orderDocument(orderTree(order, buildpacks)),
    ...(metadata.extensions.length > 0 && { extensions: metadata.extensions }),
    ...(orderExtensions.length > 0 && {
      order_extensions: orderDocument(orderTree(orderExtensions, extensions)),
    }),
  }
}
