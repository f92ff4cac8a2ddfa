export { type PhaseHost, runLifecycle } from './run-phase.ts'
export { LIFECYCLE_VERSION } from './version.ts'
