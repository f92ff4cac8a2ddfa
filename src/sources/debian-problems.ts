import { Problem } from '#std'

export const noMirror = () =>
  new Problem('DEBIAN_NO_MIRROR', {
    what: 'Cannot fetch Debian packages',
    why: 'neither the apt sources of this machine nor the configuration name a mirror',
    fix: 'Set SLIPWAY_APT_MIRROR to the URL of a Debian mirror (and SLIPWAY_APT_SECURITY_MIRROR for its security archive).',
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
    fix: 'Check the clock of this machine, and use another mirror.',
  })

export const suiteRolledBack = (suite: string, shown: string, known: string) =>
  new Problem('DEBIAN_ROLLBACK', {
    what: `Cannot use the index of ${suite}`,
    why: `it is of ${shown}, and one of ${known} was seen before`,
    fix: 'Use another mirror, or wait until this one has caught up.',
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

export const packageVanished = (name: string, cause?: unknown) =>
  new Problem('PACKAGE_VANISHED', {
    what: `Cannot fetch ${name}`,
    why: 'no configured mirror has that version any more',
    fix: 'Resolve anew (build without --locked), or name an archive of snapshots in SLIPWAY_APT_SNAPSHOTS.',
    cause,
  })

export const packageMalformed = (name: string, why: string, cause?: unknown) =>
  new Problem('PACKAGE_MALFORMED', {
    what: `Cannot read the package ${name}`,
    why,
    fix: 'Fetch it again from a mirror you trust.',
    cause,
  })
