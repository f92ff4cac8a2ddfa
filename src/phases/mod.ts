export { type PhaseHost, runLifecycle } from './run-phase.ts'
export { CONTRACT_VERSION, LIFECYCLE_VERSION } from './version.ts'
