import {
  anyTargetMatches,
  type BaseTarget,
  describeTarget,
  effectiveTargets,
  findRunImage,
  fullName,
  type Group,
} from '#cnb'
import { type BuildpackSource, type Generated, hasFile, runTarget } from '#lifecycle'
import type { StoredImage } from '#oci'
import type { Report } from '#std'
import { switchedTargetMismatch } from '../problems.ts'
import type { BuildBases } from './bases.ts'
import type { BuildGround } from './ground.ts'

/** The run image's platform, with the distribution of what buildpacks run in where it says none. */
export function targetOf({ run, distro }: BuildBases): BaseTarget {
  const { id: _, ...target } = runTarget(run.image.config, run.name)
  return { ...(distro && { distro }), ...target }
}

/**
 * The bases of a build after an image extension switched the run image: the new one in the store, and every buildpack of the group for its
 * target. Throws a `Problem` (`RUN_IMAGE_TARGET`, exit code 92; `IMAGE_MISSING`, …).
 */
export async function switchRunImage(
  { bases, builder, findRun }: BuildGround,
  { reference, extension }: NonNullable<Generated['runImage']>,
  { group, buildpacks, report }: { group: Group; buildpacks: BuildpackSource; report: Report },
): Promise<BuildBases> {
  if (reference === bases.run.name) return bases
  const image: StoredImage = await findRun(reference)
  const listed = builder && findRunImage(builder.runImages, reference)
  if (builder && !listed)
    report.warn(
      `The image extension ${extension} switches to ${reference}, which is no run image of the builder.`,
    )
  report.line(`Run image: ${reference} (chosen by ${extension})`)
  const bare = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const run = { image, name: reference, reference: `${bare}@${image.digest}`, mirrors: listed?.mirrors ?? [] }
  const switched = { ...bases, run }
  const target = targetOf(switched)
  for (const member of group.buildpacks) {
    const found = await buildpacks.find(member.id, member.version)
    if (
      found &&
      !anyTargetMatches(effectiveTargets(found.descriptor, await hasFile(found, 'bin/build')), target)
    )
      throw switchedTargetMismatch(fullName(member), reference, extension, describeTarget(target))
  }
  return switched
}
