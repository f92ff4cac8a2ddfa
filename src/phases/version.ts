import { CONTRACT_VERSION } from '#lifecycle'

/** The version of slipway whose lifecycle this is; `package.json` says the same (a test compares them). */
export const SLIPWAY_VERSION = '0.1.0'

/** What `-version` and the label of images say: the contract and, behind the plus, the maker (semver.org, build metadata). */
export const LIFECYCLE_VERSION = `${CONTRACT_VERSION}+slipway.${SLIPWAY_VERSION}`
