export type {
  LockedArtifact,
  Needs,
  Runtime,
  RuntimeComponent,
  RuntimeLock,
  RuntimeRequest,
} from './runtime.ts'
