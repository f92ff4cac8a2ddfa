import { Problem, redact } from '#std'

export const noMirror = () =>
  new Problem('DEBIAN_NO_MIRROR', {
    what: 'Cannot fetch Debian packages',
    why: 'neither the apt sources of this machine nor SLIPWAY_APT_MIRROR name a mirror of Debian',
    fix: 'Set SLIPWAY_APT_MIRROR to the URL of a Debian mirror (and SLIPWAY_APT_SECURITY_MIRROR, if its security archive is not ../debian-security/ beside it).',
    exitCode: 3,
  })

export const mirrorInvalid = (variable: string, text: string) =>
  new Problem('DEBIAN_MIRROR_INVALID', {
    what: 'Cannot fetch Debian packages',
    why: `${variable} holds ${JSON.stringify(redact(text))}, which is not an http or https URL`,
    fix: `Set ${variable} to the URL of a mirror, such as https://mirror.example/debian/.`,
    exitCode: 3,
  })

export const suiteUnsigned = (suite: string, why: string, cause?: unknown) =>
  new Problem('DEBIAN_SIGNATURE', {
    what: `Cannot trust the index of ${suite}`,
    why,
    fix: 'Use another mirror. What was fetched was not used.',
    cause,
  })

export const suiteExpired = (suite: string, until: string) =>
  new Problem('DEBIAN_EXPIRED', {
    what: `Cannot use the index of ${suite}`,
    why: `it was valid until ${until}: the mirror does not follow Debian, or somebody shows an old state`,
    fix: 'Check the clock of this machine, and use another mirror. If old packages are what you want, set SLIPWAY_APT_ALLOW_OLD=1.',
  })

export const suiteNotYet = (suite: string, date: string) =>
  new Problem('DEBIAN_NOT_YET', {
    what: `Cannot use the index of ${suite}`,
    why: `it was signed at ${date}, which is still to come by the clock of this machine`,
    fix: 'Set the clock of this machine.',
  })

export const suiteRolledBack = (suite: string, shown: string, known: string) =>
  new Problem('DEBIAN_ROLLBACK', {
    what: `Cannot use the index of ${suite}`,
    why: `it is of ${shown}, and one of ${known} was seen before`,
    fix: 'Use another mirror, or wait until this one has caught up. If old packages are what you want, set SLIPWAY_APT_ALLOW_OLD=1.',
  })

export const suiteDiffers = (suite: string, why: string) =>
  new Problem('DEBIAN_INDEX', {
    what: `Cannot use the index of ${suite}`,
    why,
    fix: 'Use another mirror. What was fetched was not used.',
  })

export const suiteUnreachable = (suite: string, why: string, cause?: unknown) =>
  new Problem('DEBIAN_UNREACHABLE', {
    what: `Cannot fetch the index of ${suite}`,
    why,
    fix: 'Check the apt sources of this machine, or set SLIPWAY_APT_MIRROR.',
    cause,
  })

export const packageRefused = (name: string, status: number) =>
  new Problem('DEBIAN_REFUSED', {
    what: `Cannot fetch ${name}`,
    why: `the mirror answered with status ${status}`,
    fix: 'Try again later, or use another mirror.',
  })

export const packageVanished = (name: string, cause?: unknown) =>
  new Problem('PACKAGE_VANISHED', {
    what: `Cannot fetch ${name}`,
    why: 'no configured mirror has that version any more',
    fix: 'Resolve anew (build without --locked), or name an archive of snapshots in SLIPWAY_SNAPSHOT_MIRROR.',
    cause,
  })

export const packageMalformed = (name: string, why: string, cause?: unknown) =>
  new Problem('PACKAGE_MALFORMED', {
    what: `Cannot read the package ${name}`,
    why,
    fix: 'Fetch it again from a mirror you trust.',
    cause,
  })
