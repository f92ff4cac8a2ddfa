import { Problem, printable } from '#std'

/** Exit code of a failed rebase (CNB platform specification, "Rebaser"). */
const REBASE = 72

const shown = (text: string) => printable(text.slice(0, 200))

export const notBuilt = (image: string, why: string, cause?: unknown) =>
  new Problem('REBASE_NOT_BUILT', {
    what: `Cannot rebase ${shown(image)}`,
    why,
    fix: 'Only images that were built from buildpacks can be rebased; name one, or build it again.',
    exitCode: REBASE,
    cause,
  })

export const notRebasable = (image: string) =>
  new Problem('REBASE_FORBIDDEN', {
    what: `Cannot rebase ${shown(image)}`,
    why: 'its label io.buildpacks.rebasable says false: its makers know of something that ties it to its base',
    fix: 'Build it again on the new base, or use --force to rebase it all the same.',
    exitCode: REBASE,
  })

export const platformDiffers = (image: string, ours: string, theirs: string) =>
  new Problem('REBASE_PLATFORM_DIFFERS', {
    what: `Cannot rebase ${shown(image)}`,
    why: `it is for ${shown(ours)}, and the new base is for ${shown(theirs)}`,
    fix: 'Choose a base for the same platform with --run-image, or build the app again on that one.',
    exitCode: REBASE,
  })

export const distributionDiffers = (image: string, ours: string, theirs: string) =>
  new Problem('REBASE_DISTRIBUTION_DIFFERS', {
    what: `Cannot rebase ${shown(image)}`,
    why: `it was built on ${shown(ours) || 'a base that names no distribution'}, and the new base is ${shown(theirs)}: what its layers link to may be missing there`,
    fix: 'Choose a base of the same release with --run-image, build the app again on that one, or use --force.',
    exitCode: REBASE,
  })

export const stackDiffers = (image: string, why: string) =>
  new Problem('REBASE_STACK_DIFFERS', {
    what: `Cannot rebase ${shown(image)}`,
    why: shown(why),
    fix: 'The image is from before targets replaced stacks: choose a base of the same stack, or build it again.',
    exitCode: REBASE,
  })

export const runImageUnlisted = (
  image: string,
  name: string,
  listed: readonly string[],
  missing: readonly string[],
) =>
  new Problem('REBASE_RUN_IMAGE_UNLISTED', {
    what: `Cannot rebase ${shown(image)}`,
    why: [
      `${shown(name)} is not among the run images that it names${listed.length > 0 ? `: ${shown(listed.join(', '))}` : ', which are none'}`,
      ...(missing.length > 0
        ? [`it lacks packages that the app's base has: ${shown(several(missing))}`]
        : []),
    ].join('; '),
    fix: 'Choose one of those with --run-image, or use --force, which makes the new name the one that later rebases use.',
    exitCode: REBASE,
  })

/** The first of many names, and how many more there are. */
function several(names: readonly string[]): string {
  const more = names.length - 10
  return more > 1 ? `${names.slice(0, 10).join(', ')} and ${more} more` : names.join(', ')
}
