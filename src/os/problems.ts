import { Problem } from '#std'

/** Exit code of wrong arguments or inputs (CNB platform specification). */
const INVALID_INPUT = 3

export const packageMissing = (name: string, wanted: string, release: string, arch: string) =>
  new Problem('BASE_PACKAGE_MISSING', {
    what: `Cannot resolve ${name}`,
    why: `${wanted} is in none of the suites of ${release} for ${arch}`,
    fix: 'Check the spelling in the recipe, or add the suite that has it.',
  })

export const packagesConflict = (name: string, faults: readonly string[]) =>
  new Problem('BASE_UNSATISFIED', {
    what: `Cannot resolve ${name}`,
    why: `the packages do not fit together:\n  ${faults.slice(0, 10).join('\n  ')}`,
    fix: 'Change the packages of the recipe, or exclude what it does not need.',
  })

export const scriptsUnknown = (name: string, found: readonly { name: string; acts: readonly string[] }[]) =>
  new Problem('BASE_SCRIPT_UNKNOWN', {
    what: `Cannot lock ${name}`,
    why: `slipway runs no maintainer scripts, and does not know what these do:\n  ${found
      .map(({ name: each, acts }) => `${each}: ${acts.slice(0, 4).join('; ')}`)
      .join('\n  ')}`,
    fix: 'Leave the packages out, or write what their scripts do into src/os/scripts.ts.',
  })

export const releaseUnknown = (name: string, release: string, known: readonly string[]) =>
  new Problem('BASE_RELEASE_UNKNOWN', {
    what: `Cannot make ${name}`,
    why: `its recipe has no release ${JSON.stringify(release)}`,
    fix: `Ask for one of: ${known.join(', ')}.`,
    exitCode: INVALID_INPUT,
  })

export const recipeMissing = (path: string) =>
  new Problem('BASE_RECIPE_MISSING', {
    what: 'Cannot read the recipe of a base',
    why: `there is no file ${path}`,
    fix: 'Give the path of a recipe (TOML), or the name of a base that `slipway base list` shows.',
    exitCode: INVALID_INPUT,
  })

export const lockStale = (name: string, why: string, file: string) =>
  new Problem('BASE_LOCK_STALE', {
    what: `Cannot make ${name} as it is locked`,
    why: `${file} does not fit its recipe: ${why}`,
    fix: 'Lock it again with `slipway base lock`.',
    exitCode: INVALID_INPUT,
  })

export const baseUnknown = (name: string, known: readonly string[]) =>
  new Problem('BASE_UNKNOWN', {
    what: `Cannot find the base ${JSON.stringify(name)}`,
    why: 'there is no recipe of that name',
    fix: `Use one of: ${known.join(', ')}.`,
    exitCode: INVALID_INPUT,
  })

export const lockMissing = (name: string, release: string, arch: string) =>
  new Problem('BASE_LOCK_MISSING', {
    what: `Cannot make ${name} of ${release} for ${arch}`,
    why: 'nothing pins its packages, and --locked forbids to choose any',
    fix: 'Run without --locked once, or `slipway base lock`.',
    exitCode: INVALID_INPUT,
  })

export const packagesVanished = (name: string, gone: readonly string[]) =>
  new Problem('BASE_PACKAGES_VANISHED', {
    what: `Cannot make ${name} as it is locked`,
    why: `no mirror has these packages any more: ${gone.join(', ')}`,
    fix: 'Run without --locked to take their successors, or name an archive that keeps old packages in SLIPWAY_SNAPSHOT_MIRROR.',
  })

export const mirrorOutOfStep = (name: string, cause: Error) =>
  new Problem('BASE_MIRROR_OUT_OF_STEP', {
    what: `Cannot lock ${name}`,
    why: `the mirror does not have packages that its newest index names (${cause.message})`,
    fix: 'Try again in an hour, when the mirror has caught up, or use another one.',
    cause,
  })

export const unpackRefused = (name: string, why: string) =>
  new Problem('BASE_UNPACK_REFUSED', {
    what: `Cannot unpack ${name}`,
    why,
    fix: 'Do not use that package; report it to the archive it came from.',
  })

export const filesClash = (path: string, one: string, other: string) =>
  new Problem('BASE_FILES_CLASH', {
    what: 'Cannot assemble the base',
    why: `both ${one} and ${other} bring /${path}`,
    fix: 'Leave one of the packages out of the recipe.',
  })
