import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildpackLayers, fullName, type LayerRecord, type LifecycleMetadata, layersOf } from '#cnb'
import type { Layer } from '#oci'
import { isDigest } from '#std'
import { below, type DescribedLayer, readBuildpackLayers } from './buildpack-layers.ts'
import type { ExportOptions } from './export.ts'
import { layerUnreusable } from './export-problems.ts'
import { inOrder } from './in-order.ts'
import { keepDirectory, keepTar } from './keep-layer.ts'
import { factsOfTar, factsOfTree, type LaunchFacts } from './launch-facts.ts'
import { type LaunchLayer, type LaunchSituation, needsLauncher } from './launcher-need.ts'
import type { DirectoryLayer } from './layer-tar.ts'
import { copyLifecycleSboms } from './lifecycle-sboms.ts'
import { PLAIN_MODES, packDirectory } from './pack-directory.ts'
import { cutSlices } from './slices.ts'
import { launcherTar, processTypesTar } from './synthetic-layers.ts'

/** Layers packed at a time: the compression of one goes on while the next is read. */
const AT_ONCE = 2

/** A layer of the image above its run image. */
export interface ExportedLayer {
  /** `id:layer`, `buildpacksio/lifecycle:config`, `slice-1`, … */
  readonly identifier: string
  readonly createdBy: string
  readonly layer: Layer
  /** True if the image before had it too. */
  readonly reused: boolean
  /** True if its buildpack left it as it was, without contents of its own. */
  readonly untouched: boolean
  /** diffIDs that the image before had in its place. */
  readonly before: readonly string[]
}

/** A layer that is to be put into the store. */
interface Planned {
  readonly kind: 'launch' | 'sbom' | 'app' | 'launcher' | 'config' | 'process-types'
  readonly identifier: string
  readonly createdBy: string
  /** diffIDs with which it counts as reused. */
  readonly previous: readonly string[]
  /** Its buildpack left it as it was. */
  readonly untouched?: boolean
  keep(): Promise<Layer>
}

/** A launch layer of a buildpack, planned, with what its label entry says and what the launcher would find in it. */
interface LaunchPlan {
  readonly planned: Planned
  readonly described: DescribedLayer
  readonly facts: LaunchFacts
}

interface Plan {
  readonly launch: readonly { readonly member: BuildpackLayers; readonly layers: readonly LaunchPlan[] }[]
  readonly others: readonly Planned[]
  readonly situation: LaunchSituation
  readonly launcher: boolean
}

/**
 * Puts every layer of the image into the store, in the order of the reference: launch layers by buildpack and name, bills of materials, slices of
 * the app, launcher, configuration, process types. Says of each whether it was added or reused.
 */
export async function exportLayers(
  options: ExportOptions,
  defaultType: string | undefined,
): Promise<{
  layers: ExportedLayer[]
  metadata: LifecycleMetadata
  situation: LaunchSituation
  launcher: boolean
}> {
  const plan = await planLayers(options, defaultType)
  const planned = [...plan.launch.flatMap(({ layers }) => layers.map(each => each.planned)), ...plan.others]
  const layers: ExportedLayer[] = []
  const kept = inOrder(
    planned.map(each => async () => ({ each, layer: await each.keep() })),
    AT_ONCE,
  )
  for await (const { each, layer } of kept) {
    const reused = each.previous.includes(layer.diffId)
    const { identifier, createdBy, previous: before, untouched = false } = each
    layers.push({ identifier, createdBy, layer, reused, untouched, before })
    if (each.kind !== 'app')
      options.report.line(`${reused ? 'Reusing' : 'Adding'} layer '${each.identifier}'`)
    options.report.detail(`Layer '${each.identifier}' SHA: ${layer.diffId}`)
    if (isLastOf('app', planned, layers.length)) sayApp(options, planned, layers)
  }
  return {
    layers,
    metadata: metadataOf(options, plan, planned, layers),
    situation: plan.situation,
    launcher: plan.launcher,
  }
}

function isLastOf(kind: Planned['kind'], planned: readonly Planned[], done: number): boolean {
  return planned[done - 1]?.kind === kind && planned[done]?.kind !== kind
}

function sayApp(
  { report }: ExportOptions,
  planned: readonly Planned[],
  layers: readonly ExportedLayer[],
): void {
  const app = layers.filter((_, index) => planned[index]?.kind === 'app')
  const reused = app.filter(each => each.reused).length
  if (reused > 0) report.line(`Reused ${reused}/${app.length} app layer(s)`)
  if (app.length > reused) report.line(`Added ${app.length - reused}/${app.length} app layer(s)`)
}

async function planLayers(options: ExportOptions, defaultType: string | undefined): Promise<Plan> {
  const launch: Plan['launch'][number][] = []
  for (const member of options.buildpacks) {
    const { layers, store } = await readBuildpackLayers(options.places.layers, member)
    const plans: LaunchPlan[] = []
    for (const described of layers.filter(({ document }) => document.types.launch)) {
      plans.push(await planLaunchLayer(options, member, described))
    }
    launch.push({
      member: { key: member.id, version: member.version, layers: new Map(), ...(store && { store }) },
      layers: plans,
    })
  }
  const situation: LaunchSituation = {
    metadata: options.metadata,
    ...(defaultType !== undefined && { defaultType }),
    layers: launch.flatMap(({ layers }) =>
      layers.map(({ described, facts }): LaunchLayer => ({ inside: described.place.inside, facts })),
    ),
    hasProfile: isThere(join(options.places.app.host, '.profile')),
  }
  const launcher = needsLauncher(options.launcher.choice, situation)
  const sboms = await options.launcher.sboms?.(launcher)
  if (sboms !== undefined) await copyLifecycleSboms(sboms, options.places.layers, launcher)
  const others = [
    ...(await planSbom(options)),
    ...(await planApp(options)),
    ...(await planOwn(options, launcher)),
  ]
  return { launch, others, situation, launcher }
}

async function planLaunchLayer(
  options: ExportOptions,
  member: { id: string; version: string },
  described: DescribedLayer,
): Promise<LaunchPlan> {
  const { identifier, name, place, document } = described
  const record = options.previous && layersOf(options.previous.metadata, member.id)?.layers.get(name)
  const base = {
    kind: 'launch',
    identifier,
    createdBy: `Layer: '${name}', Created by buildpack: ${fullName(member)}`,
    previous: record ? [record.sha] : [],
  } as const
  if (described.hasContents) {
    const directory = await packDirectory(place, options.places.layers, options.rules, options.report)
    const facts = await factsOfTree(place, directory.entries)
    const keepAndRemember = async () => {
      const layer = await keep(options, directory, identifier)
      await options.memory?.facts.facts(layer.diffId, async () => facts)
      return layer
    }
    return { planned: { ...base, keep: keepAndRemember }, described, facts }
  }
  if (document.types.cache) throw layerUnreusable(identifier, 'it is to be cached but has no contents')
  if (!record)
    throw layerUnreusable(identifier, 'it has no contents, and the previous image has no such layer')
  const layer = await previousLayer(options, record.sha)
  if (!layer)
    throw layerUnreusable(
      identifier,
      `it has no contents, and the store has lost ${record.sha} of the previous image`,
    )
  const read = async () => factsOfTar(await layer.uncompressed(), place.inside)
  const facts = options.memory ? await options.memory.facts.facts(layer.diffId, read) : await read()
  return { planned: { ...base, untouched: true, keep: async () => layer }, described, facts }
}

async function planSbom(options: ExportOptions): Promise<Planned[]> {
  const place = below(below(options.places.layers, 'sbom'), 'launch')
  if (!existsSync(place.host)) return []
  const directory = await packDirectory(
    place,
    options.places.layers,
    options.rules,
    options.report,
    PLAIN_MODES,
  )
  const identifier = 'buildpacksio/lifecycle:launch.sbom'
  return [
    {
      kind: 'sbom',
      identifier,
      createdBy: 'Software Bill-of-Materials',
      previous: shaOf(options.previous?.metadata.sbom),
      keep: () => keep(options, directory, identifier),
    },
  ]
}

async function planApp(options: ExportOptions): Promise<Planned[]> {
  const { places, rules, metadata, report } = options
  const whole = await packDirectory(places.app, places.app, rules, report)
  const lists = cutSlices(whole.entries, metadata.slices, places.app.inside)
  const previous = options.previous?.metadata.app.map(({ sha }) => sha) ?? []
  return lists.map((entries, index): Planned => {
    const layer: DirectoryLayer = {
      ...whole,
      entries,
      parents: entries.length > 0 ? whole.parents : [],
      ...(rules.parents === 'fixed' && { rootMode: 0o755 }),
    }
    const identifier = `slice-${index + 1}`
    const createdBy = lists.length === 1 ? 'Application Layer' : `Application Slice: ${index + 1}`
    return { kind: 'app', identifier, createdBy, previous, keep: () => keep(options, layer, identifier) }
  })
}

/** Launcher, configuration and process types; without a launcher only the configuration, which other tools read. */
async function planOwn(options: ExportOptions, launcher: boolean): Promise<Planned[]> {
  const { places, rules, report, previous, metadata, store } = options
  const config = await packDirectory(
    below(places.layers, 'config'),
    places.layers,
    rules,
    report,
    PLAIN_MODES,
  )
  const planned: Planned[] = []
  if (launcher) {
    const file = await options.launcher.file()
    planned.push({
      ...own('launcher', 'Buildpacks Application Launcher', previous?.metadata.launcher),
      keep: () => keepTar(() => launcherTar(file), store),
    })
  }
  planned.push({
    ...own('config', 'Buildpacks Launcher Config', previous?.metadata.config),
    keep: () => keep(options, config, 'config'),
  })
  if (launcher && metadata.processes.length > 0) {
    planned.push({
      ...own('process-types', 'Buildpacks Process Types', previous?.metadata.processTypes),
      keep: () => keepTar(() => processTypesTar(metadata.processes.map(({ type }) => type)), store),
    })
  }
  return planned
}

function own(
  kind: 'launcher' | 'config' | 'process-types',
  createdBy: string,
  previous: { readonly sha: string } | undefined,
) {
  return { kind, identifier: `buildpacksio/lifecycle:${kind}`, createdBy, previous: shaOf(previous) }
}

function keep(
  { store, memory, report, whenRead }: ExportOptions,
  layer: DirectoryLayer,
  identifier: string,
): Promise<Layer> {
  return keepDirectory(layer, identifier, { store, index: memory?.stats, report, whenRead })
}

/** A layer of the previous image, if its blob is in the store. */
async function previousLayer({ store, previous }: ExportOptions, sha: string): Promise<Layer | undefined> {
  if (!isDigest(sha)) return undefined
  const known = await store.layerByDiffId(sha)
  if (known) return known
  const layer = previous?.image.layers.find(({ diffId }) => diffId === sha)
  return layer && (await store.has(layer)) ? layer : undefined
}

function metadataOf(
  options: ExportOptions,
  plan: Plan,
  planned: readonly Planned[],
  layers: readonly ExportedLayer[],
): LifecycleMetadata {
  const shas = new Map(layers.map(({ identifier, layer }) => [identifier, layer.diffId]))
  const ofKind = (kind: Planned['kind']) =>
    layers.filter((_, index) => planned[index]?.kind === kind).map(({ layer }) => ({ sha: layer.diffId }))
  const { runImage, execEnv } = options
  const [sbom] = ofKind('sbom')
  return {
    app: ofKind('app'),
    ...(sbom && { sbom }),
    buildpacks: plan.launch.map(({ member, layers: launch }) => ({
      ...member,
      layers: new Map(
        launch.map(({ described }) => [
          described.name,
          recordOf(described, shas.get(described.identifier) ?? ''),
        ]),
      ),
    })),
    config: ofKind('config')[0] ?? { sha: '' },
    launcher: ofKind('launcher')[0] ?? { sha: '' },
    processTypes: ofKind('process-types')[0] ?? { sha: '' },
    runImage: {
      topLayer: runImage.image.layers.at(-1)?.diffId ?? '',
      reference: runImage.reference,
      ...runImage.names,
    },
    stack: { runImage: runImage.names ?? {} },
    ...(execEnv !== '' && { execEnv }),
  }
}

function recordOf({ document }: DescribedLayer, sha: string): LayerRecord {
  const { types, metadata } = document
  return { sha, ...types, ...(metadata && Object.keys(metadata).length > 0 && { data: metadata }) }
}

function shaOf(record: { readonly sha: string } | undefined): string[] {
  return record && record.sha !== '' ? [record.sha] : []
}

/** True for anything but a directory, links included. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false
}
