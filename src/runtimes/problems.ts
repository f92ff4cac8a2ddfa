import { Problem } from '#std'

/** An archive holds an entry that no honest one would. */
export const archiveRefused = (archive: string, entry: string, why: string) =>
  new Problem('RUNTIME_ARCHIVE_REFUSED', {
    what: `Cannot unpack ${archive}`,
    why: `its entry ${JSON.stringify(entry.slice(0, 200))} ${why}`,
    fix: 'Fetch it again from a source you trust; the file was not used, and nothing of it was kept.',
  })

export const archiveTooLarge = (archive: string, limit: string) =>
  new Problem('RUNTIME_ARCHIVE_TOO_LARGE', {
    what: `Cannot unpack ${archive}`,
    why: `it holds more than ${limit}`,
    fix: 'Fetch it again from a source you trust; the file was not used, and nothing of it was kept.',
  })

export const notRelocatable = (runtime: string, reasons: readonly string[]) =>
  new Problem('RUNTIME_NOT_RELOCATABLE', {
    what: `Cannot make a layer of ${runtime}`,
    why: reasons.slice(0, 5).join('; ') + (reasons.length > 5 ? `; and ${reasons.length - 5} more` : ''),
    fix: 'The package changed in a way that the recipe does not know. Ask for an older version, and report this.',
  })

export const doesNotFit = (runtime: string, base: string, wants: string, has: string) =>
  new Problem('RUNTIME_DOES_NOT_FIT', {
    what: `Cannot use ${runtime} on ${base}`,
    why: `it needs ${wants}, and that base has ${has}`,
    fix: 'Build on a newer base, or ask for an older version line.',
  })

export const unknownRuntime = (name: string, known: readonly string[]) =>
  new Problem('RUNTIME_UNKNOWN', {
    what: `Cannot find a runtime called ${JSON.stringify(name.slice(0, 100))}`,
    why: `there are recipes for ${known.join(', ')} only`,
    fix: 'Use one of these names, or let the buildpack bring its own files.',
  })

export const unknownVersion = (runtime: string, wanted: string, offered: string) =>
  new Problem('RUNTIME_VERSION_UNKNOWN', {
    what: `Cannot find ${runtime} ${wanted}`,
    why: `there is ${offered}`,
    fix: 'Ask for one of these versions, or only for the line (the number before the first dot).',
  })

export const versionMalformed = (runtime: string, wanted: string) =>
  new Problem('RUNTIME_VERSION_MALFORMED', {
    what: `Cannot look for ${runtime} ${JSON.stringify(wanted.slice(0, 100))}`,
    why: 'that is not a version, nor the start of one',
    fix: 'Write a line or a version, as in 21, 21.* or 21.0.9.',
  })

export const noKitHere = (line: string, base: string) =>
  new Problem('RUNTIME_NO_JDK', {
    what: `Cannot get a JDK ${line} for ${base}`,
    why: `Debian 12 has JDK 17 only, and Debian 13's JDK ${line} needs a newer glibc than this base has`,
    fix: `Build on Debian 13 (trixie), or use Java 17 to compile; a JRE ${line} to run on is available here.`,
  })

export const lockedVanished = (runtime: string, artifact: string) =>
  new Problem('RUNTIME_LOCKED_VANISHED', {
    what: `Cannot get ${runtime} as the lock asks`,
    why: `${artifact} is no longer offered by any configured source, nor is it in the local store`,
    fix: 'Build once without --locked to resolve it anew; what changed is shown then.',
  })

export const lockedElsewhere = (runtime: string, wanted: string, got: string) =>
  new Problem('RUNTIME_LOCK_BROKEN', {
    what: `Cannot use ${runtime}`,
    why: `the lock names the tree ${wanted}, and the locked files make ${got}`,
    fix: 'Build without --locked with this version of slipway, and commit the new slipway.lock.',
  })

export const lockMissing = (runtime: string) =>
  new Problem('RUNTIME_NOT_LOCKED', {
    what: `Cannot choose a version of ${runtime}`,
    why: 'the build is locked, and slipway.lock has no entry that fits the request',
    fix: 'Build once without --locked, and commit the slipway.lock that it writes.',
  })

export const artifactGone = (artifact: string) =>
  new Problem('SOURCE_NOT_FOUND', {
    what: `Cannot fetch ${artifact}`,
    why: 'its registry does not list it any more',
    fix: 'Build once without --locked to resolve it anew.',
  })
