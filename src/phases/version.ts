/** The version of slipway whose lifecycle this is; `package.json` says the same (a test compares them). */
export const SLIPWAY_VERSION = '0.1.0'

/**
 * The release of the reference lifecycle whose contract this one keeps. Platforms decide by this number what a lifecycle can do (pack: whether it has a
 * creator, and which image has the phases for builders that nobody trusts), so it cannot be slipway's own.
 */
export const CONTRACT_VERSION = '0.21.17'

/** What `-version` and the label of images say: the contract and, behind the plus, the maker (semver.org, build metadata). */
export const LIFECYCLE_VERSION = `${CONTRACT_VERSION}+slipway.${SLIPWAY_VERSION}`
