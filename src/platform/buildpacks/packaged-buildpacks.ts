import {
  BUILDPACK_LAYERS_LABEL,
  BUILDPACKAGE_LABEL,
  type ModuleLayer,
  parseBuildpackage,
  parseModuleLayers,
} from '#cnb'
import type { BuildpackSource, FoundBuildpack } from '#lifecycle'
import { type Image, labelsOf } from '#oci'
import { packageInvalid } from '../problems.ts'
import type { Unpacked } from '../roots/unpacked.ts'
import { buildpackIn, insideOf, makeExecutable } from './tree.ts'

/** Buildpacks that came together: the one that was meant, and those that it may need. */
export interface OpenedBuildpacks {
  readonly main: { readonly id: FoundBuildpack['descriptor']['id']; readonly version: string }
  readonly source: BuildpackSource
}

/**
 * Opens the image of a buildpackage (CNB distribution specification, "Buildpackage"): of its layers, each of which may hold several buildpacks, only
 * those are unpacked that are asked for. Throws a `Problem` (`BUILDPACK_PACKAGE_INVALID`, `LAYER_REFUSED`, `TAR_MALFORMED`, …).
 */
export function packagedBuildpacks(image: Image, name: string, unpacked: Unpacked): OpenedBuildpacks {
  const labels = labelsOf(image.config)
  const about = labels[BUILDPACKAGE_LABEL]
  const layers = labels[BUILDPACK_LAYERS_LABEL]
  if (about === undefined || layers === undefined)
    throw packageInvalid(
      name,
      `it has no label ${about === undefined ? BUILDPACKAGE_LABEL : BUILDPACK_LAYERS_LABEL}`,
    )
  const { id, version } = parseBuildpackage(about, `the label ${BUILDPACKAGE_LABEL} of ${name}`)
  const modules = parseModuleLayers(layers, `the label ${BUILDPACK_LAYERS_LABEL} of ${name}`)
  if (!modules.some(each => each.id === id && each.version === version))
    throw packageInvalid(name, `none of its layers has its own buildpack ${id}@${version}`)
  const known = new Map<string, Promise<FoundBuildpack | undefined>>()
  return {
    main: { id, version },
    source: {
      find(wanted, wantedVersion) {
        const module = modules.find(each => each.id === wanted && each.version === wantedVersion)
        if (!module) return Promise.resolve(undefined)
        const key = `${wanted}@${wantedVersion}`
        const found = known.get(key) ?? open(module, image, name, unpacked)
        known.set(key, found)
        return found
      },
    },
  }
}

async function open(
  { id, version, layerDiffId }: ModuleLayer,
  image: Image,
  name: string,
  unpacked: Unpacked,
): Promise<FoundBuildpack> {
  const layer = image.layers.find(({ diffId }) => diffId === layerDiffId)
  if (!layer) throw packageInvalid(name, `it has no layer ${layerDiffId}, which is to hold ${id}@${version}`)
  const tree = await unpacked.layer(layer)
  const found = await buildpackIn(tree, insideOf('buildpack', id, version), 'buildpack', `${id}@${version}`)
  if (!found || found.descriptor.id !== id || found.descriptor.version !== version)
    throw packageInvalid(name, `its layer ${layerDiffId} does not hold ${id}@${version}`)
  await makeExecutable(found)
  return found
}
