export type { DebianPackages, RuntimeContext } from './context.ts'
export { GO_MODULE, goModuleVersion, isIdleInGo, isProgramOfGo } from './go.ts'
export { type MachineSources, openMachineSources } from './machine-sources.ts'
export { BASE_CONTRACT, misfit } from './needs.ts'
export { runtimeLockSchema } from './records.ts'
export { RUNTIME_NAMES, resolveRuntime } from './resolve.ts'
export type {
  LockedArtifact,
  Needs,
  Runtime,
  RuntimeComponent,
  RuntimeLock,
  RuntimeRequest,
} from './runtime.ts'
export { SERVER_MODULES } from './server-modules.ts'
export { lockKey, openRuntimes, type RuntimeSession } from './session.ts'
