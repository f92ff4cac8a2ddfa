import { Problem } from '#std'

/** Exit code of wrong arguments or inputs (CNB platform specification). */
const INVALID_INPUT = 3

export const moduleInvalid = (place: string, why: string, cause?: unknown) =>
  new Problem('MODULE_INVALID', {
    what: `Cannot package ${place}`,
    why,
    fix: 'A buildpack is a directory or a tar archive with buildpack.toml at its top (an extension: extension.toml), or a buildpackage.',
    exitCode: INVALID_INPUT,
    cause,
  })

export const moduleEntryRefused = (place: string, name: string, why: string) =>
  new Problem('MODULE_ENTRY_REFUSED', {
    what: `Cannot package ${place}`,
    why: `${JSON.stringify(name.slice(0, 200))} ${why}`,
    fix: 'Remove it: buildpacks have files, directories and links only.',
    exitCode: INVALID_INPUT,
  })

export const moduleMissing = (place: string) =>
  new Problem('MODULE_MISSING', {
    what: `Cannot package ${place}`,
    why: 'there is no such file or directory, and no such image in the store or a registry',
    fix: 'Check the path (it counts from the file that names it) or the name of the image; slipway images lists those of the store.',
    exitCode: INVALID_INPUT,
  })

export const notInContext = (locator: string) =>
  new Problem('LOCATOR_NOT_HERE', {
    what: `Cannot use ${locator} here`,
    why: 'it means a buildpack of a builder, and there is none yet',
    fix: 'Name the buildpack by its path, its address or its image.',
    exitCode: INVALID_INPUT,
  })

export const notInRegistryIndex = (id: string, registry: string, why: string) =>
  new Problem('REGISTRY_ID_UNKNOWN', {
    what: `Cannot find the buildpack ${id}`,
    why: `${why} in the index ${registry}`,
    fix: 'Check its id and version, or name another index with --buildpack-registry.',
    exitCode: INVALID_INPUT,
  })

export const packageWrong = (name: string, why: string, fix: string) =>
  new Problem('PACKAGE_INVALID', { what: `Cannot package ${name}`, why, fix, exitCode: INVALID_INPUT })

export const builderWrong = (name: string, why: string, fix: string) =>
  new Problem('BUILDER_CONFIG_INVALID', {
    what: `Cannot make the builder ${name}`,
    why,
    fix,
    exitCode: INVALID_INPUT,
  })

export const lifecycleInvalid = (place: string, why: string) =>
  new Problem('LIFECYCLE_INVALID', {
    what: `Cannot use the lifecycle ${place}`,
    why,
    fix: 'A lifecycle is a .tgz of one directory with analyzer, builder, creator, detector, exporter, launcher and restorer, and lifecycle.toml beside it.',
    exitCode: INVALID_INPUT,
  })

export const notPackaged = (name: string, kind: 'builder' | 'buildpackage') =>
  new Problem(kind === 'builder' ? 'NOT_A_BUILDER' : 'NOT_A_BUILDPACKAGE', {
    what: `Cannot inspect ${name}`,
    why: `it is an image, but no ${kind}: its label says nothing of one`,
    fix:
      kind === 'builder'
        ? 'slipway inspect shows other images; slipway builder suggest lists builders.'
        : 'slipway inspect shows other images.',
    exitCode: INVALID_INPUT,
  })

export const scaffoldTaken = (directory: string, name: string) =>
  new Problem('SCAFFOLD_TAKEN', {
    what: `Cannot make a buildpack in ${directory}`,
    why: `${name} is there already`,
    fix: 'Choose another directory with --path.',
    exitCode: INVALID_INPUT,
  })
