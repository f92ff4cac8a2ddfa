export type { Cache, CacheMetadata, CacheWriting } from './cache.ts'
export type {
  BuildpackSource,
  Execution,
  ExecutionOutcome,
  Executor,
  FoundBuildpack,
  Place,
  Places,
} from './executor.ts'
