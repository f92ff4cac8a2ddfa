/**
 * The release of the reference lifecycle whose contract this lifecycle keeps. Platforms decide by this number what the lifecycle of a builder can do (pack: whether it
 * has a creator, and which image has the phases for builders that nobody trusts), so it cannot be slipway's own.
 */
export const CONTRACT_VERSION = '0.21.17'
