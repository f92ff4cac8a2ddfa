export { type AnalyzeOptions, analyze, runTarget } from './analyze.ts'
export { type BuildOptions, build, prepareBuild } from './build.ts'
export type { Cache, CacheMetadata, CacheWriting } from './cache.ts'
export { CONTRACT_VERSION } from './contract-version.ts'
export { type Detection, type DetectOptions, detect } from './detect.ts'
export { type DetectAttempt, DetectFailure } from './detect-failure.ts'
export { type DirectoryCache, type DirectoryCacheOptions, openDirectoryCache } from './directory-cache.ts'
export type {
  BuildpackSource,
  Execution,
  ExecutionOutcome,
  Executor,
  FoundBuildpack,
  Place,
  Places,
} from './executor.ts'
export { withExitCode } from './exit-code.ts'
export { type Exported, type ExportOptions, exportImage, type LauncherOptions } from './export.ts'
export { type CacheExportOptions, exportCache } from './export-cache.ts'
export type { ExportedLayer } from './export-layers.ts'
export { extractLayer } from './extract-layer.ts'
export { type Generated, type GenerateOptions, generate } from './generate.ts'
export { type ImageCacheOptions, openImageCache } from './image-cache.ts'
export { LaunchFactsIndex } from './launch-facts-index.ts'
export type { LauncherChoice } from './launcher-need.ts'
export { type LayerRules, NORMAL_TIME, type Owner } from './layer-tar.ts'
export { lifecycleMetadataOf, type RebaseOptions, rebaseImage } from './rebase.ts'
export { listedRunImages, type RebasePair, type Refusal, rebaseRefusals } from './rebase-checks.ts'
export { type RestoreOptions, restore } from './restore.ts'
export { hasFile } from './run-detect.ts'
export { salvageCache } from './salvage-cache.ts'
export { StatIndex } from './stat-index.ts'
export { type CacheRules, openVolumeCache } from './volume-cache.ts'
