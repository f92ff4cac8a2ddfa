import { anyTargetMatches, describeTarget, fullName, type LifecycleDescriptor, type Target } from '#cnb'
import { labelsOf } from '#oci'
import type { BuilderBase } from './builder-base.ts'
import type { BuilderParts } from './builder-create.ts'
import type { PackageModule } from './module.ts'
import { builderWrong } from './problems.ts'

/**
 * Refuses what could never work, as pack does: a module for an API that the lifecycle does not speak, a composite one whose parts are missing, one that is for other
 * targets or another stack than the build image. Throws a `Problem` (`BUILDER_CONFIG_INVALID`).
 */
export function checkModules(
  builder: string,
  { config, buildpacks, extensions }: BuilderParts,
  base: BuilderBase,
  lifecycle: LifecycleDescriptor,
): void {
  const labels = labelsOf(base.image.config)
  const stackId = labels['io.buildpacks.stack.id'] ?? ''
  if (config.stackId !== undefined && config.stackId !== stackId)
    throw builderWrong(
      builder,
      `[stack] id is ${config.stackId}, and that of ${base.name} is ${JSON.stringify(stackId)}`,
      'Name a build image of that stack, or leave [stack] id out.',
    )
  const present = new Set(buildpacks.map(({ info }) => fullName(info)))
  for (const module of [...buildpacks, ...extensions]) checkApi(builder, module, lifecycle)
  for (const module of buildpacks) {
    const { about, info } = module
    const missing = about.order.flat().find(entry => !present.has(fullName(entry)))
    if (missing)
      throw builderWrong(
        builder,
        `${fullName(info)} needs ${fullName(missing)}, which it does not have`,
        'Add it to [[buildpacks]].',
      )
    if (about.order.length === 0) checkPlatform(builder, module, base, stackId)
  }
}

function checkApi(
  builder: string,
  { about, info, kind }: PackageModule,
  { version, apis }: LifecycleDescriptor,
): void {
  const spoken = [...apis.buildpack.supported, ...apis.buildpack.deprecated]
  if (spoken.includes(about.api)) return
  throw builderWrong(
    builder,
    `the ${kind} ${fullName(info)} is for Buildpack API ${about.api}, and lifecycle ${version} speaks ${spoken.join(', ')}`,
    'Take another release of the one or the other.',
  )
}

function checkPlatform(
  builder: string,
  module: PackageModule,
  { image, name }: BuilderBase,
  stackId: string,
) {
  const { about, info } = module
  if (about.targets.length === 0 && about.stacks.length > 0) {
    if (about.stacks.some(({ id }) => id === '*' || id === stackId)) return
    throw builderWrong(
      builder,
      `${fullName(info)} is for ${about.stacks.map(({ id }) => id).join(', ')}, and ${name} is of ${JSON.stringify(stackId)}`,
      'Take another build image or another release of the buildpack.',
    )
  }
  const { os, architecture, variant } = image.config
  const labels = labelsOf(image.config)
  const distro = {
    name: labels['io.buildpacks.base.distro.name'] ?? '',
    version: labels['io.buildpacks.base.distro.version'] ?? '',
  }
  const known = distro.name !== '' && distro.version !== ''
  const base = { os, arch: architecture, ...(variant && { variant }), ...(known && { distro }) }
  // A base that does not say which distribution it is may be any.
  const targets: Target[] = about.targets.map(each => (known ? each : { ...each, distros: [] }))
  if (anyTargetMatches(targets, base)) return
  throw builderWrong(
    builder,
    `${fullName(info)} is for ${about.targets.map(describeTarget).join(', ')}, and ${name} is ${describeTarget(base)}`,
    'Take another build image or another release of the buildpack.',
  )
}
