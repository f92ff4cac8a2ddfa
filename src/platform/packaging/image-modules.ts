import {
  BUILDPACK_LAYERS_LABEL,
  BUILDPACKAGE_LABEL,
  type BuildpackDescriptor,
  EXTENSION_LAYERS_LABEL,
  type ModuleLayer,
  parseBuildpackage,
  parseModuleLayers,
} from '#cnb'
import { type Image, type Layer, labelsOf } from '#oci'
import { sortedBy } from './blob.ts'
import type { LocatedModules, ModuleTar, PackageModule } from './module.ts'
import { moduleInvalid } from './problems.ts'

/**
 * The modules of a buildpackage (CNB distribution specification, "Buildpackage"), the main one and the others by id and version. Nothing is read but labels.
 * Throws a `Problem` (`MODULE_INVALID`, or what reading a label throws).
 */
export function imageModules(image: Image, place: string, kind: BuildpackDescriptor['kind']): LocatedModules {
  const labels = labelsOf(image.config)
  const label = kind === 'buildpack' ? BUILDPACK_LAYERS_LABEL : EXTENSION_LAYERS_LABEL
  const about = labels[BUILDPACKAGE_LABEL]
  const layers = labels[label]
  if (about === undefined || layers === undefined)
    throw moduleInvalid(place, `it has no label ${about === undefined ? BUILDPACKAGE_LABEL : label}`)
  const { id, version } = parseBuildpackage(about, `the label ${BUILDPACKAGE_LABEL} of ${place}`)
  const modules = modulesIn(image, parseModuleLayers(layers, `the label ${label} of ${place}`), place, kind)
  const main = modules.find(({ info }) => info.id === id && info.version === version)
  if (!main) throw moduleInvalid(place, `none of its layers is said to hold its own ${kind} ${id}@${version}`)
  return { main, dependencies: modules.filter(each => each !== main) }
}

/** The modules that a layers label names, in the layers of an image. */
export function modulesIn(
  image: Image,
  modules: readonly ModuleLayer[],
  place: string,
  kind: BuildpackDescriptor['kind'],
): readonly PackageModule[] {
  const tars = new Map<string, ModuleTar>()
  const found = modules.map((about): PackageModule => {
    const { id, version, layerDiffId, name, homepage } = about
    const layer = image.layers.find(({ diffId }) => diffId === layerDiffId)
    if (!layer)
      throw moduleInvalid(place, `it has no layer ${layerDiffId}, which is to hold ${id}@${version}`)
    const tar = tars.get(layerDiffId) ?? tarOf(layer)
    tars.set(layerDiffId, tar)
    const info = { id, version, ...(name && { name }), ...(homepage && { homepage }) }
    return { kind, info, about, hasBuild: true, tar }
  })
  return sortedBy(found, ({ info }) => `${info.id}@${info.version}`)
}

function tarOf(layer: Layer): ModuleTar {
  const open = async function* () {
    yield* await layer.uncompressed()
  }
  return { diffId: layer.diffId, open, layer }
}
